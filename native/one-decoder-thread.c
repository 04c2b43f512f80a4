/*
 * Loaded into a camera's process ahead of everything else (LD_PRELOAD): tells whoever asks that the machine has one
 * processor. OpenCV before 4.7 gives FFmpeg's decoder a thread for each, and no setting of its own changes that; a
 * decoder with N threads gives frames N-1 late and holds 4 MB more for each.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

long sysconf(int name) {
  static long (*real)(int);
  if (name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF) return 1;
  if (!real) real = (long (*)(int))dlsym(RTLD_NEXT, "sysconf");
  if (real) return real(name);
  errno = EINVAL;
  return -1;
}
