#include <xbar/core/parallel.hpp>

#include <omp.h>

namespace xbar {

int thread_count() { return omp_get_max_threads(); }

}  // namespace xbar
