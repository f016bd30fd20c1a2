#pragma once

/// CIFAR-10 as a zip archive of JPEG files, a twelfth of the size of the original for a loss of
/// about 30 dB; the results are those of another data set and should be called so.
///
/// Members in the order of the images, named INDEX_LABEL.jpg: 00000_6.jpg, 00001_9.jpg, ...

#include <filesystem>
#include <string>
#include <string_view>

#include <xbar/nn/data/cifar_file.hpp>

namespace xbar::nn {

/// @throws IoError naming file and member if the archive is missing, empty or damaged, or a member
///         is out of order, wrongly named, or not a JPEG file of 32 x 32 colour pixels.
[[nodiscard]] CifarImages read_cifar_jpeg(const std::filesystem::path& path);

/// The same on bytes in memory; `name` stands for the file in messages.
[[nodiscard]] CifarImages parse_cifar_jpeg(std::string_view bytes, const std::string& name);

}  // namespace xbar::nn
