#pragma once

/// A folder that holds CIFAR-10 or CIFAR-100, in whichever of these layouts it has:
///
///   cifar10    data_batch_1.bin ... data_batch_5.bin, test_batch.bin, 10,000 images each, in the
///              folder itself or in cifar-10-batches-bin, as the original archive unpacks
///   cifar100   train.bin (50,000 images), test.bin (10,000), in the folder or in cifar-100-binary
///   subset     train_firstN.bin and test_firstM.bin: the first N and M images in the same format
///   JPEG       train.zip and test.zip (data/cifar_jpeg.hpp); cifar10 only

#include <filesystem>

#include <xbar/nn/data/cifar_file.hpp>
#include <xbar/nn/data/data_set.hpp>

namespace xbar::nn {

/// Both splits, named "cifar10" or "cifar100"; pixels are planes R, G, B in [0, 1]. The original
/// takes 740 MB of memory as floats.
/// @throws IoError naming the folder and what was expected in it, or the file that is at fault.
[[nodiscard]] DataSet read_cifar_set(const std::filesystem::path& folder, CifarKind kind);

}  // namespace xbar::nn
