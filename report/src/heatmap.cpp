#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/report/plot.hpp>
#include <xbar/report/text.hpp>

#include "axis_range.hpp"
#include "colour.hpp"
#include "png.hpp"
#include "svg_writer.hpp"
#include "text_layout.hpp"

namespace xbar::report {
namespace {

constexpr double font = 12;
constexpr Index largest_side = 256;    // cells drawn along a side
constexpr Index largest_written = 12;  // up to here the cells carry their values

Index block_size(Index cells) {
  return std::max<Index>(1, (cells + largest_side - 1) / largest_side);
}

/// Means over blocks; a block without a value is NaN.
Matrix averaged(const Matrix& values, Index block_rows, Index block_cols) {
  if (block_rows == 1 && block_cols == 1) {
    return values;
  }
  const Index rows = (values.rows() + block_rows - 1) / block_rows;
  const Index cols = (values.cols() + block_cols - 1) / block_cols;
  Matrix out(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) {
      double sum = 0;
      Index count = 0;
      for (Index r = i * block_rows; r < std::min((i + 1) * block_rows, values.rows()); ++r) {
        for (Index c = j * block_cols; c < std::min((j + 1) * block_cols, values.cols()); ++c) {
          if (drawable(values(r, c), Scale::linear)) {
            sum += values(r, c);
            ++count;
          }
        }
      }
      out(i, j) = count > 0 ? sum / static_cast<double>(count) : std::nan("");
    }
  }
  return out;
}

/// Cells to label along an axis: a power of two apart, always the last one.
std::vector<Index> index_ticks(Index count, double length, double spacing) {
  Index step = 1;
  while (static_cast<double>(step) / static_cast<double>(count) * length < spacing &&
         step < count) {
    step *= 2;
  }
  std::vector<Index> ticks;
  for (Index i = 0; i < count; i += step) {
    ticks.push_back(i);
  }
  if (count - 1 - ticks.back() > 0) {
    if (ticks.size() > 1 && 2 * (count - 1 - ticks.back()) < step) {
      ticks.pop_back();
    }
    ticks.push_back(count - 1);
  }
  return ticks;
}

struct Summary {
  Extent range;
  Index row = 0;  // of the value farthest from zero
  Index col = 0;
  double extreme = 0;
  double mean = 0;
  Index count = 0;
};

/// What line i is called.
std::string line_name(const std::vector<std::string>& names, Index i) {
  return names.empty() ? std::to_string(i) : names[static_cast<std::size_t>(i)];
}

Summary summarise(const Matrix& values, Ramp ramp, Scale scale) {
  Summary s;
  double sum = 0;
  for (Index i = 0; i < values.rows(); ++i) {
    for (Index j = 0; j < values.cols(); ++j) {
      const double v = values(i, j);
      if (!drawable(v, scale)) {
        continue;
      }
      const bool farther =
          ramp == Ramp::diverging ? std::fabs(v) > std::fabs(s.extreme) : v > s.extreme;
      if (s.count == 0 || farther) {
        s.extreme = v;
        s.row = i;
        s.col = j;
      }
      s.range.add(v);
      sum += v / static_cast<double>(values.size());  // cannot overflow
      ++s.count;
    }
  }
  s.mean =
      s.count > 0 ? sum * (static_cast<double>(values.size()) / static_cast<double>(s.count)) : 0;
  return s;
}

class Drawing {
 public:
  explicit Drawing(const Heatmap& map)
      : map_(map),
        block_rows_(block_size(map.values.rows())),
        block_cols_(block_size(map.values.cols())),
        cells_(averaged(map.values, block_rows_, block_cols_)) {
    if (!(map.width >= 240)) {
      throw InvalidArgument(
          fmt::format("Heatmap '{}': expected width >= 240, got {}", map.title, map.width));
    }
    check_lines("row", map.row_names, map.values.rows(), block_rows_);
    check_lines("column", map.column_names, map.values.cols(), block_cols_);
    settle();
    lay_out();
  }

  std::string draw() {
    SvgWriter svg(map_.width, height_, describe());
    draw_title(svg, map_.title, 0, map_.width);
    if (cells_.size() == 0) {
      svg.rect({left_, top_}, right_ - left_, bottom_ - top_, R"(class="xb-frame")");
      svg.text({(left_ + right_) / 2, (top_ + bottom_) / 2}, "no data", "xb-muted", Anchor::middle);
      return svg.finish();
    }
    draw_cells(svg);
    draw_indices(svg);
    draw_ports(svg);
    draw_scale(svg);
    double y = height_ - 15 * static_cast<double>(note_.size()) + 10;
    for (const std::string& line : note_) {
      svg.text({0, y}, line, "xb-muted xb-small");
      y += 15;
    }
    return svg.finish();
  }

 private:
  void check_lines(const char* what, const std::vector<std::string>& names, Index count,
                   Index block) const {
    if (!names.empty() && static_cast<Index>(names.size()) != count) {
      throw InvalidArgument(fmt::format("Heatmap '{}': expected {} {} names, got {}", map_.title,
                                        count, what, names.size()));
    }
    if (block > 1 && (!names.empty() || map_.scale != Scale::linear)) {
      throw InvalidArgument(fmt::format(
          "Heatmap '{}': expected up to {} {}s with names or a logarithmic scale, got {}",
          map_.title, largest_side, what, count));
    }
  }

  [[nodiscard]] bool is_value(double v) const { return drawable(v, map_.scale); }

  [[nodiscard]] std::string describe() const {
    return fmt::format("Heat map{}{}: {} of {} {}s by {} {}s. {}", map_.title.empty() ? "" : ", ",
                       map_.title, map_.quantity, map_.values.rows(), map_.row_label,
                       map_.values.cols(), map_.column_label, map_.note());
  }

  void settle() {
    const Summary s = summarise(map_.values, map_.ramp, map_.scale);
    Axis axis{map_.quantity, map_.unit, map_.scale, map_.min, map_.max, {}};
    if (map_.ramp == Ramp::diverging && !axis.min && !axis.max && !s.range.empty()) {
      const double far = std::max(std::fabs(s.range.lo), std::fabs(s.range.hi));
      if (far > 0) {
        axis.min = -far;
        axis.max = far;
      }
    }
    scale_ = settle_axis(axis, s.range, {6, 0, false}, "Heatmap");
    colours_ = ramp_colours(map_.ramp);
  }

  void lay_out() {
    // Measured with a throw-away writer: the height is not known yet.
    SvgWriter dry(1, 1, {});
    top_ = draw_title(dry, map_.title, 0, map_.width) + 36;
    double scale_labels = 0;
    for (const Tick& tick : scale_.ticks) {
      scale_labels = std::max(scale_labels, text_width(tick.label, font));
    }
    double row_labels = 0;
    for (Index i = 0; i < map_.values.rows(); ++i) {
      row_labels = std::max(row_labels, text_width(line_name(map_.row_names, i), font));
    }
    left_ = 20 + std::ceil(row_labels) + 8 + (map_.ports == Ports::none ? 0 : 14);
    const double room = map_.width - left_ - (18 + 14 + 8 + scale_labels + 4);
    const auto rows = static_cast<double>(std::max<Index>(cells_.rows(), 1));
    const auto cols = static_cast<double>(std::max<Index>(cells_.cols(), 1));
    // Square cells, unless one side would become a thread.
    const double ratio = std::clamp(
        rows * static_cast<double>(block_rows_) / (cols * static_cast<double>(block_cols_)), 0.3,
        1.15);
    double width = room;
    double height = room * ratio;
    if (rows / cols > 1.15 && cols > 1) {
      width = std::max(0.25 * room, height * cols / rows);
    }
    if (rows == 1 && cols == 1) {
      width = height = 0.5 * room;
    }
    right_ = left_ + width;
    bottom_ = top_ + height;
    note_ = wrap_text(map_.note(), 11, map_.width, 4);
    height_ =
        bottom_ + (map_.ports == Ports::none ? 10 : 34) + 15 * static_cast<double>(note_.size());
  }

  [[nodiscard]] std::size_t level(double value) const {
    const double t = std::clamp(scale_.fraction(value), 0.0, 1.0);
    return static_cast<std::size_t>(std::lround(t * (ramp_levels - 1)));
  }

  [[nodiscard]] std::string picture() const {
    // Cells are enlarged to several pixels so that readers which smooth pictures keep them sharp.
    const auto rows = static_cast<std::size_t>(cells_.rows());
    const auto cols = static_cast<std::size_t>(cells_.cols());
    const std::size_t zoom = std::max<std::size_t>(1, 512 / std::max(rows, cols));
    std::vector<std::uint8_t> pixels(rows * cols * zoom * zoom);
    for (std::size_t y = 0; y < rows * zoom; ++y) {
      for (std::size_t x = 0; x < cols * zoom; ++x) {
        const double v = cells_(static_cast<Index>(y / zoom), static_cast<Index>(x / zoom));
        pixels[y * cols * zoom + x] =
            is_value(v) ? static_cast<std::uint8_t>(level(v)) : transparent_index;
      }
    }
    return base64(encode_png(pixels, cols * zoom, rows * zoom, colours_));
  }

  /// The cells' values for the pointer: 16 bits each between lo and hi, 65535 for none.
  [[nodiscard]] std::string readings(Extent range) const {
    std::string bytes;
    for (Index i = 0; i < cells_.rows(); ++i) {
      for (Index j = 0; j < cells_.cols(); ++j) {
        const double v = cells_(i, j);
        unsigned q = 65535;
        if (is_value(v)) {
          const double t = range.hi > range.lo ? (v - range.lo) / (range.hi - range.lo) : 0;
          q = static_cast<unsigned>(std::lround(std::clamp(t, 0.0, 1.0) * 65534));
        }
        bytes += static_cast<char>(q >> 8);
        bytes += static_cast<char>(q & 0xFFu);
      }
    }
    return base64(bytes);
  }

  void draw_cells(SvgWriter& svg) const {
    const double width = right_ - left_;
    const double height = bottom_ - top_;
    // Cells without a value let this hatching through.
    if (!std::all_of(cells_.data(), cells_.data() + cells_.size(),
                     [this](double v) { return is_value(v); })) {
      std::string hatch;
      constexpr double spacing = 8;
      const int lines = static_cast<int>((width + height) / spacing);
      for (int k = 1; k <= lines; ++k) {
        const double d = spacing * k;
        const double x0 = std::max(0.0, d - height);
        const double x1 = std::min(d, width);
        hatch += fmt::format("M{} {}L{} {}", px(left_ + x0), px(top_ + d - x0), px(left_ + x1),
                             px(top_ + d - x1));
      }
      svg.path(hatch, "xb-axis");
    }
    const std::string box = fmt::format(R"(x="{}" y="{}" width="{}" height="{}")", px(left_),
                                        px(top_), px(width), px(height));
    Extent shown;
    for (const double v : cells_.reshaped()) {
      if (is_value(v)) {
        shown.add(v);
      }
    }
    // The page's script reads these to show the value under the pointer.
    std::string readout;
    if (!shown.empty() && map_.scale == Scale::linear && map_.row_names.empty() &&
        map_.column_names.empty()) {
      readout = fmt::format(
          R"( class="xb-map" data-rows="{}" data-cols="{}" data-block-rows="{}" data-block-cols="{}" )"
          R"(data-all-rows="{}" data-all-cols="{}" data-row="{}" data-col="{}" data-what="{}" )"
          R"(data-unit="{}" data-lo="{:.8g}" data-hi="{:.8g}" data-q="{}")",
          cells_.rows(), cells_.cols(), block_rows_, block_cols_, map_.values.rows(),
          map_.values.cols(), escape(map_.row_label), escape(map_.column_label),
          escape(map_.quantity), escape(scale_.shown_unit), shown.lo / scale_.unit_size,
          shown.hi / scale_.unit_size, readings(shown));
    }
    svg.element("image", fmt::format(R"({}{} preserveAspectRatio="none" )"
                                     R"(style="image-rendering:pixelated" )"
                                     R"(href="data:image/png;base64,{}")",
                                     box, readout, picture()));
    svg.rect({left_, top_}, width, height, R"(class="xb-frame" pointer-events="none")");
    if (cells_.rows() <= largest_written && cells_.cols() <= largest_written) {
      write_values(svg);
    }
  }

  void write_values(SvgWriter& svg) const {
    const double cell_width = (right_ - left_) / static_cast<double>(cells_.cols());
    const double cell_height = (bottom_ - top_) / static_cast<double>(cells_.rows());
    // As many decimals for all as give the largest three digits.
    const double largest = std::max(std::fabs(scale_.lo), std::fabs(scale_.hi)) / scale_.unit_size;
    const int decimals = largest >= 100 ? 0 : largest >= 10 ? 1 : largest >= 1 ? 2 : 3;
    svg.open("g", R"(pointer-events="none")");
    for (Index i = 0; i < cells_.rows(); ++i) {
      for (Index j = 0; j < cells_.cols(); ++j) {
        const double v = cells_(i, j);
        if (!is_value(v)) {
          continue;
        }
        const double shown = v / scale_.unit_size;
        const std::string text =
            map_.scale == Scale::linear ? format_fixed(shown, decimals) : format_number(shown, 2);
        if (text_width(text, 11) > cell_width - 2 || cell_height < 14) {
          continue;
        }
        const Point centre{left_ + (static_cast<double>(j) + 0.5) * cell_width,
                           top_ + (static_cast<double>(i) + 0.5) * cell_height};
        const bool bright = lightness(colours_[level(v)]) > 0.6;
        svg.text({centre.x, centre.y + 4}, text,
                 bright ? "xb-small xb-on-bright" : "xb-small xb-on-dark", Anchor::middle);
      }
    }
    svg.close();
  }

  void draw_indices(SvgWriter& svg) const {
    const double width = right_ - left_;
    const double height = bottom_ - top_;
    const auto place = [](Index i, Index count) {
      return (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    };
    const Index cols = map_.values.cols();
    const Index rows = map_.values.rows();
    double widest = 0;
    for (Index j = 0; j < cols; ++j) {
      widest = std::max(widest, text_width(line_name(map_.column_names, j), font));
    }
    for (const Index j : index_ticks(cols, width, std::max(36.0, widest + 10))) {
      const double x = left_ + place(j, cols) * width;
      svg.line({x, top_ - 4}, {x, top_}, "xb-axis");
      svg.text({x, top_ - 8}, line_name(map_.column_names, j), "xb-muted", Anchor::middle);
    }
    const double ports = map_.ports == Ports::none ? 0 : 14;
    for (const Index i : index_ticks(rows, height, 36)) {
      const double y = top_ + place(i, rows) * height;
      svg.line({left_ - 4, y}, {left_, y}, "xb-axis");
      svg.text({left_ - 8 - ports, y + 4}, line_name(map_.row_names, i), "xb-muted", Anchor::end);
    }
    svg.text({left_, top_ - 25}, map_.column_label + " →", "xb-muted");
    svg.open("g", fmt::format(R"svg(transform="translate(12 {}) rotate(-90)")svg", px(top_)));
    svg.text({0, 0}, "← " + map_.row_label, "xb-muted", Anchor::end);
    svg.close();
  }

  /// Arrows into the driven edge and out of the sensed one.
  void draw_ports(SvgWriter& svg) const {
    if (map_.ports == Ports::none) {
      return;
    }
    const bool forward = map_.ports == Ports::forward;
    constexpr double spacing = 22;
    const double width = right_ - left_;
    const double height = bottom_ - top_;
    std::string arrows;
    const auto down = static_cast<int>(
        std::clamp(std::min(height / spacing, static_cast<double>(map_.values.rows())), 1.0, 64.0));
    for (int k = 0; k < down; ++k) {
      const double y = top_ + (k + 0.5) / down * height;
      // The tip touches the array where it is driven and points away where it is sensed.
      const double base = forward ? left_ - 13 : left_ - 6;
      const double tip = forward ? left_ - 6 : left_ - 13;
      arrows += fmt::format("M{} {}L{} {}L{} {}Z", px(base), px(y - 3.5), px(tip), px(y), px(base),
                            px(y + 3.5));
    }
    const auto across = static_cast<int>(
        std::clamp(std::min(width / spacing, static_cast<double>(map_.values.cols())), 1.0, 64.0));
    for (int k = 0; k < across; ++k) {
      const double x = left_ + (k + 0.5) / across * width;
      const double base = forward ? bottom_ + 4 : bottom_ + 11;
      const double tip = forward ? bottom_ + 11 : bottom_ + 4;
      arrows += fmt::format("M{} {}L{} {}L{} {}Z", px(x - 3.5), px(base), px(x + 3.5), px(base),
                            px(x), px(tip));
    }
    svg.path(arrows, "xb-port");
    const std::string_view legend = forward ? "driven from the left, sensed at the bottom"
                                            : "driven from the bottom, sensed at the left";
    const double half = text_width(legend, 11) / 2;
    svg.text({std::max((left_ + right_) / 2, half), bottom_ + 25}, legend, "xb-muted xb-small",
             Anchor::middle);
  }

  void draw_scale(SvgWriter& svg) const {
    const double x = right_ + 18;
    const double width = 14;
    const double height = bottom_ - top_;
    std::vector<std::uint8_t> pixels(ramp_levels);
    for (std::size_t k = 0; k < ramp_levels; ++k) {
      pixels[k] = static_cast<std::uint8_t>(ramp_levels - 1 - k);
    }
    svg.element("image",
                fmt::format(R"(x="{}" y="{}" width="{}" height="{}" )"
                            R"(preserveAspectRatio="none" href="data:image/png;base64,{}")",
                            px(x), px(top_), px(width), px(height),
                            base64(encode_png(pixels, 1, ramp_levels, colours_))));
    svg.rect({x, top_}, width, height, R"(class="xb-frame")");
    for (const Tick& tick : scale_.ticks) {
      const double y = bottom_ - scale_.fraction(tick.value) * height;
      svg.line({x + width, y}, {x + width + 4, y}, "xb-axis");
      svg.text({x + width + 8, y + 4}, tick.label, "xb-muted");
    }
    // Ends with the scale, or further right where the columns' name needs the room.
    const double end = std::max(x + width + 36, left_ + text_width(map_.column_label, font) + 36 +
                                                    text_width(scale_.caption, font));
    svg.text({std::min(end, map_.width), top_ - 25}, scale_.caption, "xb-muted", Anchor::end);
  }

  const Heatmap& map_;
  Index block_rows_;
  Index block_cols_;
  Matrix cells_;
  AxisRange scale_;
  std::array<Rgb, ramp_levels> colours_;
  std::vector<std::string> note_;
  double left_ = 0;
  double right_ = 0;
  double top_ = 0;
  double bottom_ = 0;
  double height_ = 0;
};

}  // namespace

std::string Heatmap::note() const {
  const Summary s = summarise(values, ramp, scale);
  if (s.count == 0) {
    return "no data";
  }
  std::string text =
      fmt::format("Largest {} at {} {}, {} {}{}.", format_si(s.extreme, unit), row_label,
                  line_name(row_names, s.row), column_label, line_name(column_names, s.col),
                  scale == Scale::linear ? "; mean " + format_si(s.mean, unit) : "");
  const Index missing = values.size() - s.count;
  if (missing > 0) {
    text += fmt::format(" {} of {} cells without a value.", missing, values.size());
  }
  const Index rows = block_size(values.rows());
  const Index cols = block_size(values.cols());
  if (rows > 1 || cols > 1) {
    text += fmt::format(" Each square shown is the mean of {} x {} cells.", rows, cols);
  }
  return text;
}

std::string Heatmap::svg() const { return Drawing(*this).draw(); }

}  // namespace xbar::report
