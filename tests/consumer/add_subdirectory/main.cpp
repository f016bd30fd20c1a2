#include <cstdio>

#include <xbar/core/random.hpp>

int main() {
  const xbar::RandomStream stream(1, "consumer");
  const bool differ = stream.uniform(0) != stream.uniform(1);
  std::printf("%d random numbers\n", differ ? 2 : 1);
}
