/*
 * An add-on with one function, releasePages(): gives back memory this process holds but does not use. That is
 *
 *   - the pages of program files it once looked at. Loading two hundred libraries touches most of their tables, which
 *     nobody reads again, but they count as this process's own (RSS) until somebody needs the memory. Dropped pages
 *     that are used after all come back from the page cache;
 *   - free memory between allocations (malloc_trim(3)).
 *
 * Dropping (MADV_DONTNEED, madvise(2)) is harmless only for pages that are as they are in the file. So: only whole
 * pages of segments the program file itself declares read-only, none of a file that has its code patched at load
 * time (DT_TEXTREL), and only where a file is still mapped there, privately and read-only (Node can move its code
 * into huge pages). What relocation writes to lies in writable segments, whatever their protection is later.
 */
#define _GNU_SOURCE
#include <link.h>
#include <malloc.h>
#include <node_api.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct range {
  uintptr_t from, to;
};

struct ranges {
  struct range *at;
  size_t count, room;
};

static int patches_code(const struct dl_phdr_info *object) {
  for (int i = 0; i < object->dlpi_phnum; i++) {
    if (object->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    for (; entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == DT_TEXTREL) return 1;
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)) return 1;
    }
  }
  return 0;
}

/* Adds the whole pages of an object's read-only segments; a callback of dl_iterate_phdr(3). */
static int collect(struct dl_phdr_info *object, size_t size, void *data) {
  (void)size;
  struct ranges *ranges = data;
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  if (patches_code(object)) return 0;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
    const uintptr_t start = object->dlpi_addr + segment->p_vaddr;
    const uintptr_t from = (start + page - 1) & ~(page - 1);
    const uintptr_t to = (start + segment->p_memsz) & ~(page - 1);
    if (from >= to) continue;
    if (ranges->count == ranges->room) {
      const size_t room = ranges->room ? ranges->room * 2 : 512;
      struct range *grown = realloc(ranges->at, room * sizeof *grown);
      if (!grown) return 1;
      ranges->at = grown;
      ranges->room = room;
    }
    ranges->at[ranges->count++] = (struct range){from, to};
  }
  return 0;
}

/* Drops what of the ranges is mapped from a file, privately and read-only; gives the bytes. */
static size_t drop(const struct ranges *ranges, FILE *maps) {
  size_t dropped = 0, length = 0;
  char *line = NULL;
  while (getline(&line, &length, maps) > 0) {
    unsigned long from, to, inode;
    char allowed[5];
    if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu", &from, &to, allowed, &inode) != 4) continue;
    if (allowed[1] == 'w' || allowed[3] != 'p' || inode == 0) continue;
    for (size_t i = 0; i < ranges->count; i++) {
      const uintptr_t start = ranges->at[i].from > from ? ranges->at[i].from : from;
      const uintptr_t end = ranges->at[i].to < to ? ranges->at[i].to : to;
      if (start < end && madvise((void *)start, end - start, MADV_DONTNEED) == 0) dropped += end - start;
    }
  }
  free(line);
  return dropped;
}

/* releasePages(): number, the bytes of address space whose pages were dropped. */
static napi_value release_pages(napi_env env, napi_callback_info info) {
  (void)info;
  size_t dropped = 0;
  struct ranges ranges = {0};
  dl_iterate_phdr(collect, &ranges);
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps) {
    dropped = drop(&ranges, maps);
    fclose(maps);
  }
  free(ranges.at);
  malloc_trim(0);
  napi_value result;
  return napi_create_int64(env, (int64_t)dropped, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "releasePages", NAPI_AUTO_LENGTH, release_pages, NULL, &function) != napi_ok ||
      napi_set_named_property(env, exports, "releasePages", function) != napi_ok) {
    return NULL;
  }
  return exports;
}
