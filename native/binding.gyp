{
  "targets": [
    {
      "target_name": "release_pages",
      "sources": ["release-pages.c"],
      "cflags": ["-Wall", "-Wextra", "-std=gnu11"]
    },
    {
      "target_name": "one_decoder_thread",
      "sources": ["one-decoder-thread.c"],
      "libraries": ["-ldl"],
      "cflags": ["-Wall", "-Wextra", "-std=gnu11"]
    }
  ]
}
