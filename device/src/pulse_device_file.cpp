// Device files (docs/devices.md).

#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/pulse_device.hpp>
#include <xbar/device/pulse_presets.hpp>

#include "toml_table.hpp"

namespace xbar::device {
namespace {

// A number of a device file: where it stands and where it belongs.
struct Entry {
  std::string_view table;
  std::string_view key;
  double* value;
};

// All of them but the model's, in the order of a file.
std::vector<Entry> entries(PulseDevice& device) {
  return {
      {"pulse", "up_volt", &device.up.volt},
      {"pulse", "up_second", &device.up.second},
      {"pulse", "down_volt", &device.down.volt},
      {"pulse", "down_second", &device.down.second},
      {"voltage", "exponent", &device.voltage.exponent},
      {"voltage", "threshold", &device.voltage.threshold},
      {"spread", "step", &device.spread.step},
      {"spread", "up_down", &device.spread.up_down},
      {"spread", "lower", &device.spread.lower},
      {"spread", "upper", &device.spread.upper},
      {"spread", "nonlinearity", &device.spread.nonlinearity},
      {"noise", "step", &device.noise.step},
      {"noise", "range", &device.noise.range},
      {"noise", "write", &device.noise.write},
      {"noise", "read", &device.read_noise},
      {"faults", "stuck_on", &device.faults.stuck_on},
      {"faults", "stuck_off", &device.faults.stuck_off},
      {"faults", "open", &device.faults.open},
      {"drift", "exponent", &device.drift.exponent},
      {"drift", "exponent_deviation", &device.drift.exponent_deviation},
      {"drift", "time_s", &device.drift.time_s},
      {"drift", "reference_s", &device.drift.reference_s},
      {"endurance", "pulses", &device.endurance.pulses},
      {"endurance", "deviation", &device.endurance.deviation},
  };
}

void read_entries(const TomlTable& top, PulseDevice& device) {
  const std::vector<Entry> all = entries(device);
  for (std::size_t first = 0; first < all.size();) {
    const std::string_view name = all[first].table;
    std::vector<std::string> keys;
    std::size_t last = first;
    for (; last < all.size() && all[last].table == name; ++last) keys.emplace_back(all[last].key);
    if (const std::optional<TomlTable> table = top.table(name)) {
      table->check_keys(std::string(name), keys);
      for (std::size_t k = first; k < last; ++k) {
        *all[k].value = table->real(all[k].key, *all[k].value);
      }
    }
    first = last;
  }
}

const PulseModelInfo& info_of(const std::vector<PulseModelInfo>& infos, const std::string& name) {
  for (const PulseModelInfo& info : infos) {
    if (info.name == name) return info;
  }
  throw InvalidArgument(fmt::format("model: expected a pulse model, got '{}'", name));
}

// A curve is a list, or the name of a file beside the device file that holds one: .npy, .csv or
// .txt, which is read as .csv is.
Matrix read_curve(const TomlTable& table, const std::string& key, const std::string& file) {
  if (!table.is_text(key)) return table.numbers(key);
  const std::filesystem::path path = std::filesystem::path(file).parent_path() / table.text(key);
  if (path.extension() == ".txt") return parse_csv(read_file(path), path.string()).values;
  return read_array(path).values;
}

void read_model(const TomlTable& table, const std::string& file, PulseDevice& device) {
  const std::vector<PulseModelInfo> infos = pulse_model_infos();
  std::vector<std::string> names;
  for (const PulseModelInfo& info : infos) names.emplace_back(info.name);
  const std::string name = table.choice("name", names);
  const PulseModelInfo& info = info_of(infos, name);
  std::vector<std::string> keys{"name"};
  for (const PulseParameter& parameter : info.parameters) keys.emplace_back(parameter.name);
  for (const PulseCurveInfo& curve : info.curves) keys.emplace_back(curve.name);
  table.check_keys(fmt::format("model {}", name), keys);
  for (const PulseParameter& parameter : info.parameters) {
    const std::string key(parameter.name);
    if (table.has(key)) device.parameters[key] = table.real(key);
  }
  for (const PulseCurveInfo& curve : info.curves) {
    const std::string key(curve.name);
    if (table.has(key)) device.curves[key] = read_curve(table, key, file);
  }
  device.model = make_pulse_model(name, device.parameters, device.curves, device.range());
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 32 || c == 127) {
      result += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result + '"';
}

// Shortest decimals that read back as the same number.
std::string listed(const Matrix& values) {
  std::string result = "[";
  for (Index row = 0; row < values.rows(); ++row) {
    const std::span<const double> line(values.data() + row * values.cols(),
                                       static_cast<std::size_t>(values.cols()));
    const std::string numbers = fmt::format("{}", fmt::join(line, ", "));
    if (row > 0) result += ", ";
    result += values.cols() == 1 ? numbers : "[" + numbers + "]";
  }
  return result + "]";
}

}  // namespace

PulseDevice parse_pulse_device(const std::string& text, const std::string& file) {
  const toml::table document = parse_toml(text, file);
  const TomlTable top(file, document);
  PulseDevice device;
  std::vector<std::string> keys{"name",          "description",   "source", "one_way",
                                "g_min_siemens", "g_max_siemens", "model"};
  for (const Entry& entry : entries(device)) {
    if (keys.back() != entry.table) keys.emplace_back(entry.table);
  }
  top.check_keys("device", keys);
  device.name = top.text("name", std::filesystem::path(file).stem().string());
  device.description = top.text("description", "");
  device.source = top.text("source", "");
  device.one_way = top.flag("one_way", false);
  device.g_min_siemens = top.real("g_min_siemens");
  device.g_max_siemens = top.real("g_max_siemens");
  read_entries(top, device);
  const std::optional<TomlTable> model = top.table("model");
  if (!model) top.refuse_key("model", "a table");
  try {
    read_model(*model, file, device);
    check_pulse_device(device);
  } catch (const InvalidArgument& error) {
    const std::string_view message = error.what();
    if (message.starts_with(file)) throw;
    throw InvalidArgument(fmt::format("{}: {}", file, message));
  }
  return device;
}

PulseDevice read_pulse_device(const std::string& file) {
  if (std::filesystem::exists(file)) return parse_pulse_device(read_file(file), file);
  const std::vector<std::string> presets = preset_names();
  for (const std::string& name : presets) {
    if (name == file) return parse_pulse_device(preset_text(name), name + ".toml");
  }
  throw IoError(
      fmt::format("{}: expected a device file or one of the presets {}, found no such file{}", file,
                  fmt::join(presets, ", "), did_you_mean(file, presets)));
}

std::string to_toml(const PulseDevice& device) {
  std::string text = fmt::format("name = {}\ndescription = {}\nsource = {}\n", quoted(device.name),
                                 quoted(device.description), quoted(device.source));
  text += fmt::format("one_way = {}\ng_min_siemens = {}\ng_max_siemens = {}\n", device.one_way,
                      device.g_min_siemens, device.g_max_siemens);
  text += fmt::format("\n[model]\nname = \"{}\"\n", device.model->name());
  for (const auto& [name, value] : device.parameters) text += fmt::format("{} = {}\n", name, value);
  for (const auto& [name, values] : device.curves) {
    text += fmt::format("{} = {}\n", name, listed(values));
  }
  PulseDevice copy = device;
  std::string_view table;
  for (const Entry& entry : entries(copy)) {
    if (entry.table != table) text += fmt::format("\n[{}]\n", entry.table);
    table = entry.table;
    text += fmt::format("{} = {}\n", entry.key, *entry.value);
  }
  return text;
}

}  // namespace xbar::device
