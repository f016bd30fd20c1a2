#pragma once

/// Exact SI values, and CODATA 2018 where there is none.

namespace xbar::device::constants {

constexpr double charge = 1.602176634e-19;                // coulomb
constexpr double boltzmann = 1.380649e-23;                // joule per kelvin
constexpr double planck = 6.62607015e-34;                 // joule second
constexpr double vacuum_permittivity = 8.8541878128e-12;  // farad per metre
constexpr double electron_mass = 9.1093837015e-31;        // kilogram

}  // namespace xbar::device::constants
