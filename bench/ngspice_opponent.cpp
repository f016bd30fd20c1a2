#include "ngspice_opponent.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <xbar/core/atomic_file.hpp>

namespace xbar_bench {

namespace fs = std::filesystem;

bool have_ngspice() { return std::system("command -v ngspice >/dev/null 2>&1") == 0; }

NgspiceOpponent::NgspiceOpponent(const std::string& netlist) {
  std::string name = (fs::temp_directory_path() / "xbar-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("cannot make a folder like " + name);
  folder_ = name;
  xbar::write_file_atomically(folder_ / "array.cir", netlist);
}

NgspiceOpponent::~NgspiceOpponent() {
  std::error_code ignored;  // a folder that stays behind in /tmp does no harm
  fs::remove_all(folder_, ignored);
}

void NgspiceOpponent::run() const {
  const std::string command =
      "cd '" + folder_.string() + "' && ngspice -b array.cir >out.txt 2>err.txt";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("ngspice failed");
}

xbar::Vector NgspiceOpponent::currents(xbar::Index num_bitlines) const {
  xbar::Vector current = xbar::Vector::Constant(num_bitlines, std::nan(""));
  std::ifstream lines(folder_ / "out.txt");
  // Lines such as "i(vk_3) = 1.2e-05".
  const std::string start = "i(vk_";
  for (std::string name, equals; lines >> name;) {
    if (!name.starts_with(start)) continue;
    const auto bitline = std::strtol(name.c_str() + start.size(), nullptr, 10);
    double ampere = 0;
    if (!(lines >> equals >> ampere) || equals != "=") break;
    if (bitline >= 0 && bitline < num_bitlines) current(bitline) = ampere;
  }
  return current;
}

}  // namespace xbar_bench
