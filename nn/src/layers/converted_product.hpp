#pragma once

/// The products of a weighted layer through converters, mapping::ConvertedRead.

#include <xbar/mapping/converted_read.hpp>
#include <xbar/nn/tensor.hpp>

#include "im2col.hpp"

namespace xbar::nn {

/// y(n,o,p,q) = b(o) + the read of the patches of x. `slope` gets dy/d adc_range where that is
/// learned. bias: nullptr for none.
void converted_forward(mapping::ConvertedRead& read, const Patches& patches, const Tensor& x,
                       const float* bias, Tensor& y, Tensor& slope);

/// dx(n,c,h,w) = sum over the patches that it is part of, of the transposed read of dy.
void converted_backward(mapping::ConvertedRead& read, const Patches& patches, const Tensor& dy,
                        Tensor& dx);

/// d loss / d adc_range and d loss / d dac_range of a forward read, scaled as [Esser2020] says;
/// sets dx to 0 where the DAC clipped x.
double adc_range_gradient(const mapping::ConvertedRead& read, const Tensor& dy,
                          const Tensor& slope);
double dac_range_gradient(const mapping::ConvertedRead& read, const Tensor& x, Tensor& dx);

}  // namespace xbar::nn
