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
constexpr std::size_t markers_up_to = 40;
constexpr std::size_t tooltips_per_series = 40;

/// A drawable point of a series, in data and in pixels.
struct Mark {
  Point at;
  std::size_t index = 0;
};

/// Stretches of points without a gap.
using Runs = std::vector<std::vector<Mark>>;

void check(const LinePlot& plot) {
  if (!(plot.width >= 200) || !(plot.height >= 150)) {
    throw InvalidArgument(fmt::format("LinePlot '{}': expected at least 200 x 150, got {} x {}",
                                      plot.title, plot.width, plot.height));
  }
  for (const Series& s : plot.series) {
    const auto expect = [&](const char* what, std::size_t size) {
      if (size != s.x.size()) {
        throw InvalidArgument(fmt::format("LinePlot '{}', series '{}': {} x values but {} {}",
                                          plot.title, s.name, s.x.size(), size, what));
      }
    };
    expect("y values", s.y.size());
    if (!s.lower.empty() || !s.upper.empty()) {
      expect("lower values", s.lower.size());
      expect("upper values", s.upper.size());
    }
  }
}

class Drawing {
 public:
  explicit Drawing(const LinePlot& plot) : plot_(plot), svg_(plot.width, plot.height, describe()) {
    check(plot_);
    settle();
    lay_out();
    for (const Series& s : plot_.series) {
      runs_.push_back(trace(s));
    }
  }

  std::string draw() {
    draw_axes();
    draw_series();
    draw_references();
    draw_names();
    if (!any_point()) {
      svg_.text({(left_ + right_) / 2, (top_ + bottom_) / 2}, "no data", "xb-muted",
                Anchor::middle);
    }
    return svg_.finish();
  }

 private:
  [[nodiscard]] std::string describe() const {
    std::string text = fmt::format("Line plot{}{}: {} against {}.", plot_.title.empty() ? "" : ", ",
                                   plot_.title, plot_.y.label, plot_.x.label);
    for (const Series& s : plot_.series) {
      text += fmt::format(" {}: {} points", s.name, s.y.size());
      for (std::size_t i = std::min(s.x.size(), s.y.size()); i-- > 0;) {
        if (drawable(s.x[i], plot_.x.scale) && drawable(s.y[i], plot_.y.scale)) {
          text += fmt::format(", last {}", format_si(s.y[i], plot_.y.unit, 4));
          break;
        }
      }
      text += '.';
    }
    return text;
  }

  [[nodiscard]] bool any_point() const {
    return std::any_of(runs_.begin(), runs_.end(), [](const Runs& r) { return !r.empty(); });
  }

  void settle() {
    Extent x;
    Extent y;
    for (const Series& s : plot_.series) {
      for (std::size_t i = 0; i < s.x.size(); ++i) {
        if (!drawable(s.x[i], plot_.x.scale) || !drawable(s.y[i], plot_.y.scale)) {
          continue;
        }
        x.add(s.x[i]);
        y.add(s.y[i]);
        for (const std::vector<double>* band : {&s.lower, &s.upper}) {
          if (!band->empty() && drawable((*band)[i], plot_.y.scale)) {
            y.add((*band)[i]);
          }
        }
      }
    }
    for (const Reference& r : plot_.x_references) {
      if (drawable(r.value, plot_.x.scale)) {
        x.add(r.value);
      }
    }
    for (const Reference& r : plot_.y_references) {
      if (drawable(r.value, plot_.y.scale)) {
        y.add(r.value);
      }
    }
    const auto target = [](double length, double spacing) {
      return std::max(2, static_cast<int>(length / spacing));
    };
    x_ = settle_axis(plot_.x, x, {target(plot_.width - 120, 60), 0.025, false}, "x axis");
    y_ = settle_axis(plot_.y, y, {target(plot_.height - 90, 42), 0.06, false}, "y axis");
  }

  /// Direct labels, if that is the way to name the series; else empty.
  [[nodiscard]] std::vector<std::vector<std::string>> direct_names() const {
    const double room = 0.27 * plot_.width;
    std::vector<std::vector<std::string>> names;
    const bool wanted =
        plot_.legend == Legend::direct ||
        (plot_.legend == Legend::automatic && plot_.series.size() > 1 && plot_.series.size() <= 6);
    if (!wanted) {
      return names;
    }
    for (const Series& s : plot_.series) {
      names.push_back(wrap_text(s.name, font * bold, room, 3));
      const bool cut = names.back().back().ends_with("…") && !s.name.ends_with("…");
      if (cut && plot_.legend == Legend::automatic) {
        return {};
      }
    }
    return names;
  }

  void lay_out() {
    names_ = direct_names();
    double y = draw_title(svg_, plot_.title, 0, plot_.width);
    if (!y_.caption.empty()) {
      for (const std::string& line : wrap_text(y_.caption, font, plot_.width, 2)) {
        svg_.text({0, y + 12}, line, "xb-muted");
        y += 16;
      }
      y += 4;
    }
    const bool several = plot_.series.size() > 1;
    legend_on_top_ = plot_.legend == Legend::top ||
                     (plot_.legend == Legend::automatic && several && names_.empty());
    if (legend_on_top_) {
      std::vector<LegendEntry> entries;
      for (std::size_t i = 0; i < plot_.series.size(); ++i) {
        const Series& s = plot_.series[i];
        entries.push_back(
            {s.name, colour_slot(s.colour, i), s.dashed ? Sample::dashed_line : Sample::line});
      }
      y = draw_legend(svg_, entries, {0, y + 2}, plot_.width);
    }
    double labels = 0;
    for (const Tick& tick : y_.ticks) {
      labels = std::max(labels, text_width(tick.label, font));
    }
    double names = 10;
    for (const auto& lines : names_) {
      for (const std::string& line : lines) {
        names = std::max(names, text_width(line, font * bold) + 20);
      }
    }
    left_ = std::ceil(labels) + 8;
    right_ = plot_.width - names;
    top_ = y + 6;
    bottom_ = plot_.height - (x_.caption.empty() ? 24 : 42);
    bottom_ = std::max(bottom_, top_ + 40);
    thin_labels(x_, right_ - left_, font);
  }

  [[nodiscard]] double x_at(double value) const {
    return left_ + x_.fraction(value) * (right_ - left_);
  }
  [[nodiscard]] double y_at(double value) const {
    return bottom_ - y_.fraction(value) * (bottom_ - top_);
  }
  [[nodiscard]] bool inside(Point p) const {
    return p.x >= left_ - 0.5 && p.x <= right_ + 0.5 && p.y >= top_ - 0.5 && p.y <= bottom_ + 0.5;
  }

  [[nodiscard]] Runs trace(const Series& s) const {
    Runs runs;
    bool gap = true;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!drawable(s.x[i], x_.scale) || !drawable(s.y[i], y_.scale)) {
        gap = true;
        continue;
      }
      if (gap) {
        runs.emplace_back();
        gap = false;
      }
      runs.back().push_back({{x_at(s.x[i]), y_at(s.y[i])}, i});
    }
    return runs;
  }

  void draw_axes() {
    for (const double value : y_.minor) {
      svg_.line({left_, y_at(value)}, {right_, y_at(value)}, "xb-minor");
    }
    const bool vertical_grid = x_.scale == Scale::log;
    if (vertical_grid) {
      for (const double value : x_.minor) {
        svg_.line({x_at(value), top_}, {x_at(value), bottom_}, "xb-minor");
      }
    }
    for (const Tick& tick : y_.ticks) {
      const double y = y_at(tick.value);
      svg_.line({left_, y}, {right_, y}, "xb-grid");
      svg_.text({left_ - 8, y + 4}, tick.label, "xb-muted", Anchor::end);
    }
    for (const Tick& tick : x_.ticks) {
      const double x = x_at(tick.value);
      if (vertical_grid) {
        svg_.line({x, top_}, {x, bottom_}, "xb-grid");
      }
      svg_.line({x, bottom_}, {x, bottom_ + 5}, "xb-axis");
      if (!tick.label.empty()) {
        // Labels at the ends must not leave the picture.
        const double half = text_width(tick.label, font) / 2;
        svg_.text(
            {std::clamp(x, std::min(half, plot_.width / 2), plot_.width - half), bottom_ + 18},
            tick.label, "xb-muted", Anchor::middle);
      }
    }
    svg_.line({left_, bottom_}, {right_, bottom_}, "xb-axis");
    if (!x_.caption.empty()) {
      const std::string caption = wrap_text(x_.caption, font, plot_.width - 8, 1).front();
      const double half = text_width(caption, font) / 2;
      const double centre =
          std::clamp((left_ + right_) / 2, std::min(half, plot_.width / 2), plot_.width - half);
      svg_.text({centre, bottom_ + 36}, caption, "xb-muted", Anchor::middle);
    }
  }

  /// Path through a run, at most four points per pixel column: first, lowest, highest, last.
  static std::string path_of(const std::vector<Mark>& run) {
    std::string data;
    const auto to = [&](const Mark& m) {
      data += fmt::format("{}{} {}", data.empty() ? 'M' : 'L', px(m.at.x), px(m.at.y));
    };
    constexpr std::size_t worth_thinning = 2000;
    for (std::size_t i = 0; i < run.size();) {
      std::size_t end = i + 1;
      if (run.size() > worth_thinning) {
        while (end < run.size() && std::floor(run[end].at.x) == std::floor(run[i].at.x)) {
          ++end;
        }
      }
      const auto below = [&](std::size_t a, std::size_t b) { return run[a].at.y < run[b].at.y; };
      std::size_t low = i;
      std::size_t high = i;
      for (std::size_t k = i; k < end; ++k) {
        low = below(k, low) ? k : low;
        high = below(high, k) ? k : high;
      }
      std::size_t kept[] = {i, std::min(low, high), std::max(low, high), end - 1};
      for (std::size_t k = 0; k < 4; ++k) {
        if (k == 0 || kept[k] != kept[k - 1]) {
          to(run[kept[k]]);
        }
      }
      i = end;
    }
    return data;
  }

  void draw_band(const Series& s, const Runs& runs) {
    if (s.lower.empty()) {
      return;
    }
    for (const std::vector<Mark>& run : runs) {
      std::string upper;
      std::string lower;
      for (const Mark& m : run) {
        // On a log axis the lower edge may be at or below zero: down to the axis then.
        const double low = std::isfinite(s.lower[m.index]) && !drawable(s.lower[m.index], y_.scale)
                               ? y_.lo
                               : s.lower[m.index];
        const double high = s.upper[m.index];
        if (!drawable(low, y_.scale) || !drawable(high, y_.scale)) {
          continue;
        }
        upper += fmt::format("{}{} {}", upper.empty() ? 'M' : 'L', px(m.at.x), px(y_at(high)));
        lower.insert(0, fmt::format("L{} {}", px(m.at.x), px(y_at(low))));
      }
      if (!upper.empty()) {
        svg_.path(upper + lower + "Z", "xb-band");
      }
    }
  }

  void draw_series() {
    // A nested svg clips without an id.
    const std::string clip = fmt::format(
        R"(x="{0}" y="{1}" width="{2}" height="{3}" viewBox="{0} {1} {2} {3}" overflow="hidden")",
        px(left_ - 1), px(top_ - 1), px(right_ - left_ + 2), px(bottom_ - top_ + 2));
    svg_.open("svg", clip);
    for (std::size_t i = 0; i < plot_.series.size(); ++i) {
      const Series& s = plot_.series[i];
      svg_.open("g", colour_attributes(colour_slot(s.colour, i)));
      draw_band(s, runs_[i]);
      for (const std::vector<Mark>& run : runs_[i]) {
        if (run.size() > 1) {
          svg_.path(path_of(run), s.dashed ? "xb-line xb-dash" : "xb-line");
        }
      }
      svg_.close();
    }
    svg_.close();
    for (std::size_t i = 0; i < plot_.series.size(); ++i) {
      draw_points(plot_.series[i], runs_[i], colour_slot(plot_.series[i].colour, i));
    }
  }

  void draw_points(const Series& s, const Runs& runs, std::size_t slot) {
    std::size_t count = 0;
    for (const std::vector<Mark>& run : runs) {
      count += run.size();
    }
    const bool markers = s.markers.value_or(count <= markers_up_to);
    const std::size_t stride = markers ? 1 : count / tooltips_per_series + 1;
    // With the names in a legend a line without markers is told apart by a few all the same.
    const std::size_t sparse = legend_on_top_ ? std::max<std::size_t>(stride, count / 5) : 0;
    const std::size_t offset = sparse * (2 * slot + 1) / 16;
    std::size_t seen = 0;
    svg_.open("g", colour_attributes(slot));
    for (const std::vector<Mark>& run : runs) {
      for (const Mark& m : run) {
        const std::size_t k = seen++;
        const bool visible = markers || run.size() == 1 ||  // a lone point has no line to show it
                             (sparse > 0 && k % sparse == offset);
        if ((k % stride != 0 && !visible) || !inside(m.at)) {
          continue;
        }
        svg_.open("g");
        svg_.tooltip(tooltip(s, m.index));
        svg_.element("circle", fmt::format(R"(class="xb-hit" cx="{}" cy="{}" r="8")", px(m.at.x),
                                           px(m.at.y)));
        if (visible) {
          svg_.marker(m.at, slot);
        }
        svg_.close();
      }
    }
    svg_.close();
  }

  [[nodiscard]] std::string tooltip(const Series& s, std::size_t i) const {
    const auto named = [](const std::string& label, const char* fallback) {
      return label.empty() ? std::string(fallback) : label;
    };
    std::string text = s.name.empty() ? "" : s.name + "\n";
    text += fmt::format("{}: {}\n{}: {}", named(plot_.x.label, "x"), x_.with_unit(s.x[i]),
                        named(plot_.y.label, "y"), y_.with_unit(s.y[i]));
    if (!s.lower.empty()) {
      text += fmt::format("\nfrom {} to {}", y_.with_unit(s.lower[i]), y_.with_unit(s.upper[i]));
    }
    return text;
  }

  /// How much of the lines runs through a box; labels go where it is empty.
  [[nodiscard]] int crowding(Point corner, double width, double height) const {
    int hits = 0;
    for (const Runs& runs : runs_) {
      for (const std::vector<Mark>& run : runs) {
        for (std::size_t i = 0; i < run.size(); ++i) {
          const Point a = run[i].at;
          const Point b = run[std::min(i + 1, run.size() - 1)].at;
          for (int k = 0; k < 16; ++k) {
            const double t = k / 16.0;
            const double x = a.x + t * (b.x - a.x);
            const double y = a.y + t * (b.y - a.y);
            hits +=
                x >= corner.x && x <= corner.x + width && y >= corner.y && y <= corner.y + height;
          }
        }
      }
    }
    return hits;
  }

  void draw_references() {
    for (const Reference& r : plot_.y_references) {
      if (!drawable(r.value, y_.scale) || !inside({left_, y_at(r.value)})) {
        continue;
      }
      const double y = y_at(r.value);
      svg_.line({left_, y}, {right_, y}, "xb-ref");
      const double width = text_width(r.label, 11);
      // Above or below the line, at the left or right end: wherever the lines leave it alone.
      struct Place {
        double x;
        double top;
      };
      const Place places[] = {{left_ + 4, y - 15},
                              {right_ - 4 - width, y - 15},
                              {left_ + 4, y + 2},
                              {right_ - 4 - width, y + 2}};
      const Place* best = nullptr;
      int fewest = 0;
      for (const Place& p : places) {
        if (p.top < top_ - 12 || p.top + 13 > bottom_) {
          continue;
        }
        const int hits = crowding({p.x, p.top}, width, 13);
        if (best == nullptr || hits < fewest) {
          best = &p;
          fewest = hits;
        }
      }
      if (best != nullptr) {
        const bool at_left = best->x == left_ + 4;
        svg_.text({at_left ? best->x : right_ - 4, best->top + 11}, r.label,
                  "xb-muted xb-small xb-halo", at_left ? Anchor::start : Anchor::end);
      }
    }
    for (const Reference& r : plot_.x_references) {
      if (!drawable(r.value, x_.scale) || !inside({x_at(r.value), top_})) {
        continue;
      }
      const double x = x_at(r.value);
      svg_.line({x, top_}, {x, bottom_}, "xb-ref");
      const double width = text_width(r.label, 11);
      const bool fits_right = x + 5 + width <= right_;
      const bool fits_left = x - 5 - width >= left_;
      const bool left = fits_left && (!fits_right || crowding({x - 5 - width, top_}, width, 13) <
                                                         crowding({x + 5, top_}, width, 13));
      svg_.text({left ? x - 5 : x + 5, top_ + 11}, r.label, "xb-muted xb-small xb-halo",
                left ? Anchor::end : Anchor::start);
    }
  }

  void draw_names() {
    std::vector<double> wanted;
    std::vector<double> heights;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (runs_[i].empty() || plot_.series[i].name.empty()) {
        continue;
      }
      which.push_back(i);
      wanted.push_back(std::clamp(runs_[i].back().back().at.y, top_, bottom_));
      heights.push_back(14.0 * static_cast<double>(names_[i].size()) + 3);
    }
    const std::vector<double> centres = spread_labels(wanted, heights, top_ - 8, bottom_ + 8);
    for (std::size_t k = 0; k < which.size(); ++k) {
      const std::size_t i = which[k];
      const Point end = runs_[i].back().back().at;
      svg_.open("g", colour_attributes(colour_slot(plot_.series[i].colour, i)));
      if (std::fabs(centres[k] - end.y) > 3 || right_ - end.x > 14) {
        svg_.path(
            fmt::format("M{} {}L{} {}L{} {}", px(end.x + 6), px(std::clamp(end.y, top_, bottom_)),
                        px(std::max(end.x + 6, right_ - 2)), px(std::clamp(end.y, top_, bottom_)),
                        px(right_ + 14), px(centres[k])),
            right_ - end.x > 14 ? "xb-lead xb-far" : "xb-lead");
      }
      double y = centres[k] - 7.0 * static_cast<double>(names_[i].size()) + 11;
      for (const std::string& line : names_[i]) {
        svg_.text({right_ + 18, y}, line, "xb-name");
        y += 14;
      }
      svg_.close();
    }
  }

  const LinePlot& plot_;
  SvgWriter svg_;
  AxisRange x_;
  AxisRange y_;
  double left_ = 0;
  double right_ = 0;
  double top_ = 0;
  double bottom_ = 0;
  std::vector<std::vector<std::string>> names_;
  bool legend_on_top_ = false;
  std::vector<Runs> runs_;
};

}  // namespace

std::string LinePlot::svg() const { return Drawing(*this).draw(); }

}  // namespace xbar::report
