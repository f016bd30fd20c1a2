#include <omp.h>

#include <xbar/core/one_thread.hpp>
#include <xbar/core/parallel.hpp>

namespace xbar {

int thread_count() { return omp_get_max_threads(); }

OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }

OneThread::~OneThread() { omp_set_num_threads(before_); }

}  // namespace xbar
