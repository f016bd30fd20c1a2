#include "text_layout.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "utf8.hpp"

namespace xbar::report {
namespace {

double em_width(char32_t c) {
  if (c >= 0x2E80) {
    return 1.0;  // East Asian and pictures
  }
  constexpr std::string_view narrow = "iljtfrI.,:;'|!()[]/\\-` \u00A0";
  constexpr std::string_view wide = "mwMW@%";
  if (c == 0xA0) {
    return 0.33;
  }
  if (c < 0x80) {
    const char ascii = static_cast<char>(c);
    if (narrow.find(ascii) != std::string_view::npos) {
      return 0.38;
    }
    if (wide.find(ascii) != std::string_view::npos) {
      return 0.95;
    }
    if (ascii >= 'A' && ascii <= 'Z') {
      return 0.70;
    }
  }
  if (c >= 0x2070 && c <= 0x2079) {
    return 0.42;  // superscripts
  }
  return 0.61;
}

/// Bytes of the longest prefix of `text` that fits, at least one code point.
std::size_t fitting_prefix(std::string_view text, double font_px, double width_px) {
  std::string_view rest = text;
  double width = 0;
  std::size_t end = 0;
  while (!rest.empty()) {
    width += em_width(take_code_point(rest)) * font_px;
    if (width > width_px && end > 0) {
      break;
    }
    end = text.size() - rest.size();
  }
  return end;
}

}  // namespace

double text_width(std::string_view text, double font_px) {
  double width = 0;
  while (!text.empty()) {
    width += em_width(take_code_point(text));
  }
  return width * font_px;
}

std::vector<std::string> wrap_text(std::string_view text, double font_px, double width_px,
                                   int max_lines) {
  std::vector<std::string> lines;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty() && !lines.empty()) {
      return lines;
    }
    if (text_width(text, font_px) <= width_px) {
      lines.emplace_back(text);
      return lines;
    }
    if (static_cast<int>(lines.size()) + 1 >= max_lines) {
      const double room = width_px - text_width("…", font_px);
      lines.push_back(std::string(text.substr(0, fitting_prefix(text, font_px, room))) + "…");
      return lines;
    }
    // The last space or hyphen that still fits; a space may hang over the edge.
    std::size_t end = 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
      const bool space = text[i] == ' ';
      const bool after_hyphen = text[i - 1] == '-' || text[i - 1] == '/';
      if ((space || after_hyphen) && text_width(text.substr(0, i), font_px) <= width_px) {
        end = i;
      }
    }
    if (end == 0) {
      end = fitting_prefix(text, font_px, width_px);
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::vector<double> spread_labels(const std::vector<double>& wanted,
                                  const std::vector<double>& heights, double lo, double hi) {
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
  // Least squares under the ordering: clusters of touching labels sit at their mean wish.
  struct Cluster {
    double start;   // top of the first label
    double height;  // of all its labels
    double sum;     // of (wanted top - offset within the cluster)
    std::size_t count;
    std::size_t first;  // position in `order`
  };
  std::vector<Cluster> clusters;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const double height = heights[order[k]];
    const double top = wanted[order[k]] - height / 2;
    clusters.push_back({top, height, top, 1, k});
    const auto place = [&](Cluster& c) {
      const double mean = c.sum / static_cast<double>(c.count);
      c.start = std::max(lo, std::min(mean, hi - c.height));
    };
    place(clusters.back());
    while (clusters.size() > 1) {
      Cluster& last = clusters.back();
      Cluster& before = clusters[clusters.size() - 2];
      if (before.start + before.height <= last.start) {
        break;
      }
      before.sum += last.sum - before.height * static_cast<double>(last.count);
      before.count += last.count;
      before.height += last.height;
      clusters.pop_back();
      place(clusters.back());
    }
  }
  std::vector<double> centres(wanted.size());
  for (const Cluster& c : clusters) {
    double top = c.start;
    for (std::size_t k = c.first; k < c.first + c.count; ++k) {
      centres[order[k]] = top + heights[order[k]] / 2;
      top += heights[order[k]];
    }
  }
  return centres;
}

}  // namespace xbar::report
