/* processor.c -- core.so on an older processor, for the specs of the kernels (`make older`).
** Most kernels are compiled for several instruction sets (CLONES in csrc/tensor/parallel.h), and the loader chooses
** when it loads core.so, by what libgcc's __cpu_indicator_init has found out.  No variable of the environment changes
** that.  So the same object files are linked once more with this one, and the linker's --wrap puts a function around
** __cpu_indicator_init that forgets what the older processor has not.  With -DOLDER_THAN_AVX2 that is AVX2, too. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

int __real___cpu_indicator_init(void);
int __wrap___cpu_indicator_init(void);

/* libgcc's; which bit is what is its secret, but __builtin_cpu_supports reads them. */
extern struct { unsigned vendor, type, subtype, features[1]; } __cpu_model;
extern unsigned __cpu_features2[3];

#define RELOAD() __asm__ volatile("" ::: "memory")

/* Clears the one bit without which `supported` is false. */
#define FORGET(supported)                                                                                             \
  for (int bit = 0; (supported) && bit < 4 * 32; bit++) {                                                             \
    unsigned *word = bit < 32 ? &__cpu_model.features[0] : &__cpu_features2[bit / 32 - 1];                            \
    unsigned before = *word;                                                                                          \
    *word &= ~(1u << bit % 32);                                                                                       \
    RELOAD();                                                                                                         \
    if (supported) *word = before;                                                                                    \
    RELOAD();                                                                                                         \
  }

/* Runs while core.so is being relocated: it may call nothing. */
int __wrap___cpu_indicator_init(void) {
  int status = __real___cpu_indicator_init();
  FORGET(__builtin_cpu_supports("x86-64-v4"))
  FORGET(__builtin_cpu_supports("avx512f"))
#ifdef OLDER_THAN_AVX2
  FORGET(__builtin_cpu_supports("x86-64-v3"))
  FORGET(__builtin_cpu_supports("avx2"))
#endif
  return status;
}

/* A run that tested the new kernels once more would look just like one that tested the old ones. */
__attribute__((constructor)) static void check(void) {
  bool older = !__builtin_cpu_supports("x86-64-v4") && !__builtin_cpu_supports("avx512f");
#ifdef OLDER_THAN_AVX2
  older = older && !__builtin_cpu_supports("x86-64-v3") && !__builtin_cpu_supports("avx2");
#endif
  if (older) return;
  fprintf(stderr, "processor.c: this compiler's core.so does not ask __cpu_indicator_init\n");
  exit(1);
}
