#pragma once

/// Memory for kernels: doubles that start on a cache line and are not set to 0 unless asked to.

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace xbar::solver {

template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::size_t cache_line = 64;
  // Fields of large arrays take large pages where the system has them: with pages of 4 KiB the
  // sweeps along the bitlines miss the address cache at every row.
  static constexpr std::size_t large_page = std::size_t{2} << 20;

  CacheLineAllocator() = default;
  template <typename U>
  explicit CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* memory = ::operator new(bytes, alignment(bytes));
#if defined(__linux__)
    if (bytes >= large_page) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    ::operator delete(memory, alignment(count * sizeof(T)));
  }
  // resize() leaves new elements as they are; assign() sets them.
  template <typename U>
  void construct(U* element) noexcept {
    ::new (static_cast<void*>(element)) U;
  }
  template <typename U, typename... Arguments>
  void construct(U* element, Arguments&&... arguments) {
    ::new (static_cast<void*>(element)) U(std::forward<Arguments>(arguments)...);
  }
  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) { return true; }

 private:
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes >= large_page ? large_page : cache_line};
  }
};

using AlignedBuffer = std::vector<double, CacheLineAllocator<double>>;

}  // namespace xbar::solver
