#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/report/plot.hpp>
#include <xbar/report/text.hpp>

#include "axis_range.hpp"
#include "colour.hpp"
#include "svg_writer.hpp"
#include "text_layout.hpp"

namespace xbar::report {
namespace {

constexpr double font = 12;
constexpr double bar_height = 16;
constexpr double bar_gap = 3;
constexpr double group_gap = 14;

void check(const BarPlot& plot) {
  if (!(plot.width >= 240)) {
    throw InvalidArgument(
        fmt::format("BarPlot '{}': expected width >= 240, got {}", plot.title, plot.width));
  }
  for (const BarSeries& s : plot.series) {
    if (s.values.size() != plot.groups.size() ||
        (!s.errors.empty() && s.errors.size() != s.values.size())) {
      throw InvalidArgument(fmt::format(
          "BarPlot '{}', series '{}': expected {} values and as many errors or none, got {} and {}",
          plot.title, s.name, plot.groups.size(), s.values.size(), s.errors.size()));
    }
  }
}

class Drawing {
 public:
  explicit Drawing(const BarPlot& plot) : plot_(plot) {
    check(plot_);
    settle();
    lay_out();
  }

  std::string draw() {
    SvgWriter svg(plot_.width, height_, describe());
    draw_title(svg, plot_.title, 0, plot_.width);
    if (!legend_.empty()) {
      draw_legend(svg, legend_, {0, legend_top_}, plot_.width);
    }
    draw_axis(svg);
    double y = top_ + group_gap / 2;
    for (std::size_t g = 0; g < plot_.groups.size(); ++g) {
      draw_group(svg, g, y);
      y += group_heights_[g] + group_gap;
    }
    if (plot_.groups.empty() || plot_.series.empty()) {
      svg.text({(left_ + right_) / 2, (top_ + bottom_) / 2 + 4}, "no data", "xb-muted",
               Anchor::middle);
    }
    return svg.finish();
  }

 private:
  [[nodiscard]] std::string describe() const {
    std::string text = fmt::format("Bar plot{}{}: {}.", plot_.title.empty() ? "" : ", ",
                                   plot_.title, plot_.axis.label);
    for (std::size_t g = 0; g < plot_.groups.size(); ++g) {
      text += ' ' + plot_.groups[g] + ':';
      for (const BarSeries& s : plot_.series) {
        text += fmt::format(" {} {}", s.name, format_si(s.values[g], plot_.axis.unit, 4));
      }
      text += '.';
    }
    return text;
  }

  void settle() {
    Extent data;
    const auto add = [&](double v) {
      if (drawable(v, plot_.axis.scale)) {
        data.add(v);
      }
    };
    for (const BarSeries& s : plot_.series) {
      for (std::size_t g = 0; g < s.values.size(); ++g) {
        add(s.values[g]);
        if (!s.errors.empty() && std::isfinite(s.errors[g])) {
          add(s.values[g] - s.errors[g]);
          add(s.values[g] + s.errors[g]);
        }
      }
    }
    for (const Reference& r : plot_.references) {
      add(r.value);
    }
    const bool from_zero = !(plot_.axis.min && *plot_.axis.min > 0);
    axis_ = settle_axis(plot_.axis, data, {4, from_zero ? 0.0 : 0.03, from_zero}, "BarPlot axis");
    dots_ = plot_.axis.scale != Scale::linear || axis_.lo > 0 || axis_.hi < 0;
  }

  void lay_out() {
    SvgWriter dry(1, 1, {});
    double y = draw_title(dry, plot_.title, 0, plot_.width);
    if (plot_.series.size() > 1) {
      for (std::size_t i = 0; i < plot_.series.size(); ++i) {
        legend_.push_back({plot_.series[i].name, colour_slot(plot_.series[i].colour, i),
                           dots_ ? Sample::dot : Sample::bar});
      }
      legend_top_ = y;
      y = draw_legend(dry, legend_, {0, y}, plot_.width);
    }
    for (const Reference& r : plot_.references) {
      if (!r.label.empty()) {
        y += 14;  // room for the labels above the bars
        break;
      }
    }
    double names = 0;
    double values = 0;
    for (const std::string& group : plot_.groups) {
      group_lines_.push_back(wrap_text(group, font, 0.32 * plot_.width, 3));
      for (const std::string& line : group_lines_.back()) {
        names = std::max(names, text_width(line, font));
      }
      const double bars =
          static_cast<double>(plot_.series.size()) * (bar_height + bar_gap) - bar_gap;
      group_heights_.push_back(
          std::max(bars, 15.0 * static_cast<double>(group_lines_.back().size())));
    }
    for (const BarSeries& s : plot_.series) {
      for (const double v : s.values) {
        values = std::max(values, text_width(written(v), font));
      }
    }
    left_ = plot_.groups.empty() ? 8 : std::ceil(names) + 12;
    left_ += axis_.lo < 0 && !dots_ ? values + 8 : 0;  // labels of negative bars
    right_ = plot_.width - values - 12;
    top_ = y + 2;
    bottom_ = top_;
    for (const double h : group_heights_) {
      bottom_ += h + group_gap;
    }
    bottom_ = std::max(bottom_, top_ + 40);
    height_ = bottom_ + (axis_.caption.empty() ? 24 : 42);
    thin_labels(axis_, right_ - left_, font);
  }

  [[nodiscard]] std::string written(double value) const {
    if (!std::isfinite(value)) {
      return format_number(value);
    }
    if (plot_.axis.scale != Scale::linear) {
      return format_si(value, takes_whole_unit() ? plot_.axis.unit : "", 3);
    }
    const double shown = value / axis_.unit_size;
    return plot_.decimals ? format_fixed(shown, *plot_.decimals) : format_number(shown, 3);
  }
  /// On a log axis values get their own prefixes, so the unit must stand beside them.
  [[nodiscard]] bool takes_whole_unit() const { return plot_.axis.unit != "%"; }

  [[nodiscard]] double x_at(double value) const {
    return left_ + std::clamp(axis_.fraction(value), 0.0, 1.0) * (right_ - left_);
  }

  void draw_axis(SvgWriter& svg) const {
    for (const Tick& tick : axis_.ticks) {
      const double x = x_at(tick.value);
      svg.line({x, top_}, {x, bottom_}, "xb-grid");
      if (!tick.label.empty()) {
        svg.text({x, bottom_ + 16}, tick.label, "xb-muted", Anchor::middle);
      }
    }
    const double origin = dots_ ? left_ : x_at(0);
    svg.line({origin, top_}, {origin, bottom_}, "xb-axis");
    if (!axis_.caption.empty()) {
      svg.text({(left_ + right_) / 2, bottom_ + 34}, axis_.caption, "xb-muted", Anchor::middle);
    }
    for (const Reference& r : plot_.references) {
      if (!drawable(r.value, axis_.scale) || r.value < axis_.lo || r.value > axis_.hi) {
        continue;
      }
      const double x = x_at(r.value);
      svg.line({x, top_ - 2}, {x, bottom_}, "xb-ref");
      const double half = text_width(r.label, 11) / 2;
      svg.text({std::clamp(x, std::min(half, plot_.width / 2), plot_.width - half), top_ - 6},
               r.label, "xb-muted xb-small", Anchor::middle);
    }
  }

  void draw_group(SvgWriter& svg, std::size_t g, double top) const {
    const double middle = top + group_heights_[g] / 2;
    const double name_x = axis_.lo < 0 && !dots_ ? names_right() : left_ - 12;
    double base = middle - 7.5 * static_cast<double>(group_lines_[g].size()) + 11.5;
    for (const std::string& line : group_lines_[g]) {
      svg.text({name_x, base}, line, "", Anchor::end);
      base += 15;
    }
    const double bars = static_cast<double>(plot_.series.size()) * (bar_height + bar_gap) - bar_gap;
    double y = middle - bars / 2;
    for (std::size_t i = 0; i < plot_.series.size(); ++i) {
      draw_bar(svg, plot_.series[i], i, g, y);
      y += bar_height + bar_gap;
    }
  }

  [[nodiscard]] double names_right() const {
    double names = 0;
    for (const auto& lines : group_lines_) {
      for (const std::string& line : lines) {
        names = std::max(names, text_width(line, font));
      }
    }
    return std::ceil(names);
  }

  void draw_bar(SvgWriter& svg, const BarSeries& s, std::size_t index, std::size_t g,
                double y) const {
    const double value = s.values[g];
    const double middle = y + bar_height / 2;
    const std::size_t slot = colour_slot(s.colour, index);
    if (!drawable(value, axis_.scale)) {
      svg.text({(dots_ ? left_ : x_at(0)) + 6, middle + 4},
               std::isfinite(value) ? format_number(value) : "n/a", "xb-muted");
      return;
    }
    const double error =
        !s.errors.empty() && std::isfinite(s.errors[g]) && s.errors[g] > 0 ? s.errors[g] : 0;
    const double end = x_at(value);
    double reach = end;
    svg.open("g", colour_attributes(slot));
    std::string tip = plot_.groups[g];
    tip += s.name.empty() ? "" : ", " + s.name;
    tip += "\n" + format_si(value, plot_.axis.unit, 4);
    tip += error > 0 ? " ± " + format_si(error, plot_.axis.unit, 2) : "";
    svg.tooltip(tip);
    const double origin = dots_ ? left_ : x_at(0);
    if (dots_) {
      svg.line({origin, middle}, {end, middle}, "xb-lead");
    } else {
      svg.rect({std::min(origin, end), y}, std::max(std::fabs(end - origin), 1.0), bar_height,
               R"(class="xb-bar" rx="1.5")");
    }
    if (error > 0) {
      const double lo = drawable(value - error, axis_.scale) ? x_at(value - error) : left_;
      const double hi = x_at(value + error);
      svg.path(fmt::format("M{0} {2}L{1} {2}M{0} {3}L{0} {4}M{1} {3}L{1} {4}", px(lo), px(hi),
                           px(middle), px(middle - 4), px(middle + 4)),
               "xb-whisker");
      reach = value < 0 && !dots_ ? lo : hi;
    }
    if (dots_) {
      svg.marker({end, middle}, slot);
      reach = std::max(reach, end + 5);
    }
    svg.close();
    const bool to_left = value < 0 && !dots_;
    svg.text({to_left ? reach - 6 : reach + 6, middle + 4}, written(value), "xb-halo",
             to_left ? Anchor::end : Anchor::start);
  }

  const BarPlot& plot_;
  AxisRange axis_;
  bool dots_ = false;
  std::vector<LegendEntry> legend_;
  double legend_top_ = 0;
  std::vector<std::vector<std::string>> group_lines_;
  std::vector<double> group_heights_;
  double left_ = 0;
  double right_ = 0;
  double top_ = 0;
  double bottom_ = 0;
  double height_ = 0;
};

}  // namespace

std::string BarPlot::svg() const { return Drawing(*this).draw(); }

}  // namespace xbar::report
