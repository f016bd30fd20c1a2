#pragma once

/// The binary files of CIFAR-10 and CIFAR-100 [Krizhevsky2009]: records of one label byte
/// (CIFAR-100: two, the coarse and the fine label) and 3072 pixel bytes, the planes R, G, B of 32 x
/// 32 rows. No header, so a file's length is all that tells how many records there are.
/// https://www.cs.toronto.edu/~kriz/cifar.html

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::nn {

inline constexpr Index cifar_side = 32;  ///< height and width, pixels
inline constexpr Index cifar_channels = 3;
inline constexpr Index cifar_pixels = cifar_channels * cifar_side * cifar_side;  ///< of one image

enum class CifarKind { cifar10, cifar100 };

/// 10 or 100; CIFAR-100's fine labels.
[[nodiscard]] int cifar_classes(CifarKind kind);

/// Images and labels in the order of the file.
struct CifarImages {
  std::vector<std::uint8_t> labels;  ///< of CIFAR-100 the fine ones
  std::vector<std::uint8_t> pixels;  ///< cifar_pixels an image, planes R, G, B
};

/// Reads one file.
/// @param count  how many records it must hold; without it, any number from one on
/// @throws IoError naming the file if it is missing, not a whole number of records, has another
///         count than expected, or a label out of range.
[[nodiscard]] CifarImages read_cifar(const std::filesystem::path& path, CifarKind kind,
                                     std::optional<Index> count = {});

/// The same on bytes in memory; `name` stands for the file in messages.
[[nodiscard]] CifarImages parse_cifar(std::string_view bytes, const std::string& name,
                                      CifarKind kind, std::optional<Index> count = {});

}  // namespace xbar::nn
