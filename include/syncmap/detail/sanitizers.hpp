// Which sanitizers the program is compiled with: GCC defines a macro, Clang has a feature.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SYNCMAP_ADDRESS_SANITIZER 1
#endif
#if __has_feature(leak_sanitizer)
#define SYNCMAP_LEAK_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define SYNCMAP_THREAD_SANITIZER 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) && !defined(SYNCMAP_ADDRESS_SANITIZER)
#define SYNCMAP_ADDRESS_SANITIZER 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(SYNCMAP_THREAD_SANITIZER)
#define SYNCMAP_THREAD_SANITIZER 1
#endif
