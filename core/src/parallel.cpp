#include <omp.h>

#include <xbar/core/parallel.hpp>

namespace xbar {

int thread_count() { return omp_get_max_threads(); }

}  // namespace xbar
