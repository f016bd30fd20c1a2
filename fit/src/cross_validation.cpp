#include "cross_validation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <xbar/core/random.hpp>

namespace xbar::fit {
namespace {

/// Numbers 0 to count - 1, shuffled.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  const RandomStream stream(seed, "fit/folds");
  for (std::size_t k = count; k > 1; --k) std::swap(order[k - 1], order[stream.below(k, k)]);
  return order;
}

std::vector<bool> all_but_first(const Response& response) {
  std::vector<bool> mask(response.y.size(), true);
  for (std::size_t k = 0; k < mask.size(); ++k) {
    if (std::isnan(response.y[k])) continue;
    mask[k] = false;
    break;
  }
  return mask;
}

/// The f-th part of every run in one direction, but for the first reading.
std::vector<bool> blocks(const Response& response, std::size_t f, std::size_t folds) {
  const std::size_t size = response.y.size();
  std::vector<bool> mask(size, false);
  for (std::size_t begin = 0; begin < size;) {
    std::size_t end = begin + 1;
    while (end < size && response.up[end] == response.up[begin]) ++end;
    const std::size_t length = end - begin;
    for (std::size_t k = f * length / folds; k < (f + 1) * length / folds; ++k) {
      mask[begin + k] = true;
    }
    begin = end;
  }
  const std::vector<bool> others = all_but_first(response);
  for (std::size_t k = 0; k < size; ++k) mask[k] = mask[k] && others[k];
  return mask;
}

}  // namespace

Folds make_folds(const std::vector<Response>& responses, const std::vector<std::string>& devices,
                 int folds, std::uint64_t seed) {
  const auto parts = static_cast<std::size_t>(folds);
  Folds result;
  result.whole_curves = responses.size() >= 2 * parts;
  std::vector<std::size_t> fold_of(responses.size());
  if (result.whole_curves) {
    std::map<std::string, std::size_t> number;
    for (const std::string& device : devices) number.emplace(device, number.size());
    const bool by_device = number.size() >= parts;
    const auto order = shuffled(by_device ? number.size() : responses.size(), seed);
    for (std::size_t c = 0; c < responses.size(); ++c) {
      fold_of[c] = order[by_device ? number.at(devices[c]) : c] % parts;
    }
  }
  for (std::size_t f = 0; f < parts; ++f) {
    std::vector<std::vector<bool>> masks;
    for (std::size_t c = 0; c < responses.size(); ++c) {
      const Response& response = responses[c];
      masks.push_back(!result.whole_curves ? blocks(response, f, parts)
                      : fold_of[c] == f    ? all_but_first(response)
                                           : std::vector<bool>(response.y.size(), false));
    }
    result.masks.push_back(std::move(masks));
  }
  return result;
}

HeldOut validate(const Shape& shape, const std::vector<Response>& responses, const Folds& folds,
                 const CurveFitOptions& options, const CurveFit& fit, double gain,
                 const std::function<void()>& fold_done) {
  HeldOut result;
  for (const auto& masks : folds.masks) {
    std::vector<Response> seen = responses;
    for (std::size_t c = 0; c < seen.size(); ++c) seen[c].masked = masks[c];
    CurveFitOptions quick = options;
    // From the fit to all readings it is not far.
    quick.most_iterations = 15;
    const CurveFit part = fit_curves(shape, seen, quick, &fit);
    const auto model = shape.make(std::span(part.values).first(shape.free.size()));
    for (std::size_t c = 0; c < seen.size(); ++c) {
      const auto all = innovations(*model, part.cell, gain, part.starts[c], seen[c]);
      double square = 0;
      int count = 0;
      const auto close = [&] {
        if (count == 0) return;
        result.square.push_back(square);
        result.count.push_back(count);
        square = 0;
        count = 0;
      };
      for (std::size_t k = 0; k < all.size(); ++k) {
        if (!seen[c].masked[k] || (k > 0 && seen[c].up[k] != seen[c].up[k - 1])) close();
        if (!seen[c].masked[k] || std::isnan(all[k].residual)) continue;
        square += all[k].residual * all[k].residual;
        ++count;
      }
      close();
    }
    fold_done();
  }
  return result;
}

}  // namespace xbar::fit
