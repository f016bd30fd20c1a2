#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <Random123/philox.h>

#include <xbar/core/isa.hpp>
#include <xbar/core/random.hpp>

#include "random_kernels.hpp"

namespace xbar {
namespace {

// Spreads a 64-bit word over all bits (the finaliser of SplitMix64, Steele et al. 2014).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

// FNV-1a: fixed for ever, unlike std::hash, so that results do not depend on the library version.
std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return h;
}

// Maps a 53-bit integer to the centre of its cell in (0, 1): never 0, never 1.
double to_open_unit(std::uint32_t low, std::uint32_t high) {
  const std::uint64_t word = (static_cast<std::uint64_t>(high) << 32U) | low;
  return (static_cast<double>(word >> 12U) + 0.5) * 0x1.0p-52;
}

template <typename Value>
using FillGroups = void (*)(const DrawKey& key, std::uint64_t first_group, long groups, Value* out);

// Whole groups go straight to their place, what is cut off at either end through a buffer.
template <typename Value>
void fill(FillGroups<Value> groups, const DrawKey& key, std::uint64_t first_index,
          std::span<Value> values) {
  constexpr auto group = static_cast<std::uint64_t>(draw_group);
  while (!values.empty()) {
    const std::size_t skipped = first_index % group;
    std::size_t count = values.size() / group * group;
    if (skipped == 0 && count > 0) {
      groups(key, first_index / group, static_cast<long>(count / group), values.data());
    } else {
      std::array<Value, group> buffer{};
      count = std::min<std::size_t>(group - skipped, values.size());
      groups(key, first_index / group, 1, buffer.data());
      std::copy_n(buffer.begin() + static_cast<std::ptrdiff_t>(skipped), count, values.begin());
    }
    values = values.subspan(count);
    first_index += count;
  }
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view name) {
  const std::uint64_t key = mix(mix(seed) ^ hash(name));
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32U)};
}

RandomStream RandomStream::substream(std::uint64_t index) const {
  RandomStream result = *this;
  result.high_ = mix(high_ ^ mix(index + 1));
  return result;
}

std::array<std::uint32_t, 4> RandomStream::bits(std::uint64_t index) const {
  const r123::Philox4x32 generator;
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32U),
       static_cast<std::uint32_t>(high_), static_cast<std::uint32_t>(high_ >> 32U)}};
  const r123::Philox4x32::key_type key = {{key_[0], key_[1]}};
  const r123::Philox4x32::ctr_type word = generator(counter, key);
  return {word[0], word[1], word[2], word[3]};
}

double RandomStream::uniform(std::uint64_t index) const {
  const auto word = bits(index);
  return to_open_unit(word[0], word[1]);
}

double RandomStream::uniform(std::uint64_t index, double low, double high) const {
  return low + (high - low) * uniform(index);
}

double RandomStream::normal(std::uint64_t index) const {
  const auto word = bits(index);
  const double radius = std::sqrt(-2.0 * std::log(to_open_unit(word[0], word[1])));
  return radius * std::cos(2.0 * std::numbers::pi * to_open_unit(word[2], word[3]));
}

std::uint64_t RandomStream::below(std::uint64_t index, std::uint64_t bound) const {
  const auto word = bits(index);
  const std::uint64_t x = (static_cast<std::uint64_t>(word[1]) << 32U) | word[0];
  // 128-bit multiply-shift; __extension__ because __int128 is not ISO C++.
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(x) * bound) >> 64U);
}

void fill_words(const RandomStream& stream, std::uint64_t first_index,
                std::span<std::uint32_t> values) {
  fill(XBAR_DISPATCH(xbar, word_groups), {{stream.key_[0], stream.key_[1]}, stream.high_},
       first_index, values);
}

void fill_bits(const RandomStream& stream, std::span<const std::uint64_t> indices,
               std::span<std::uint32_t> words) {
  XBAR_DISPATCH(xbar, listed_words)
  ({{stream.key_[0], stream.key_[1]}, stream.high_}, indices.data(),
   static_cast<long>(indices.size()), words.data());
}

void fill_uniform(const RandomStream& stream, std::uint64_t first_index, std::span<float> values) {
  fill(XBAR_DISPATCH(xbar, uniform_groups), {{stream.key_[0], stream.key_[1]}, stream.high_},
       first_index, values);
}

void fill_normal(const RandomStream& stream, std::uint64_t first_index, std::span<float> values) {
  fill(XBAR_DISPATCH(xbar, normal_groups), {{stream.key_[0], stream.key_[1]}, stream.high_},
       first_index, values);
}

}  // namespace xbar
