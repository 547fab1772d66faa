// Inputs with a known answer, for every datatype, operator and number of ranks, whatever the order of reduction.
//
// With an operator (reductions): element i of rank r is f(p, q), small whole numbers, where the place
// p = (r + i + a) mod ranks and the phase q = (i + b) mod 1009, and a and b come from the seed. At every element each
// place is held by exactly one rank, so the answer depends on q alone: a table of 1009 values. Every partial result is
// exact in every datatype, so the answer is too (element.h has f):
//   sum        contributions of 1 … 3, one sign per element. Of int8, uint8, half and bfloat16 only 32 ranks contribute
//              to an element (which ones moves on with the element), of float8_e4m3 5 and of float8_e5m2 3, because
//              these hold all whole numbers up to 16 and 8; of wider types all do, so that one missing contribution is
//              always seen. Exact up to 5 million ranks (float's 2^24 / 3).
//   premulsum  rank r's scalar is 2 or 1 (`premultiplier`), and what it contributes, as in a sum, is doubled and then
//              divided by its scalar: multiplied as it should be, the ranks' inputs add up to twice the sum, else not.
//              Of int8 and uint8 20 ranks contribute.
//   prod       factors of ±1 and, from six ranks at most, ±2.
//   min, max   one rank at a time holds the extreme.
//   avg        of integers: as a sum. Of floating-point types one rank at a time contributes ±1 or ±4 and the others
//              nothing: NCCL multiplies every input by 1/ranks, rounded to the type, and then adds, and with several
//              contributions the rounding errors of that would add up; a power of two alone comes out the same
//              whichever is done first.
// Each rank takes each place in turn as the elements go on. What the table cannot see is a displacement by an exact
// multiple of 1009 elements.
// Without an operator (data movement): the hash of seed, rank and element; all bits of integers, finite normal values
// of floating-point types. Within a block of 65,536 elements no value of a 32- or 64-bit integer comes twice.
//
// Seeds 2k and 2k+1 are a pair whose answers differ at *every* element (avg of integers excepted, where quotients may
// coincide): use them for consecutive samples, and no stale result passes.
//
// avg of integers is the sum divided by the ranks, rounded towards zero, as in NCCL. avg of floating-point types is the
// correctly rounded quotient; where 1/ranks is subnormal (float8_e4m3 on more than 64 ranks, float8_e5m2 and half on
// more than 16384) all from that to the product with the rounded 1/ranks passes. Everything must be equal bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/datatype.h"
#include "core/units.h"

namespace busbar {

struct Pattern {
  DataType type = DataType::float32;
  std::optional<RedOp> redop;
  int ranks = 1;
  std::uint64_t seed = 0;
};

/// What poisoned memory is filled with. No correct result of a reduction looks like it in any datatype (125 and more as
/// an integer, 416 as float8_e4m3, NaN as float8_e5m2 and half, 1e37 and 1e296 as floats), nor does moved
/// floating-point data. Moved integers take all values, so there one poisoned byte passes with the probability of any
/// coincidence: 1/256 for 8 bits.
inline constexpr std::byte poison_byte{0x7d};

/// premulsum's scalar of a rank. Two different ones, because each rank has its own operator; a power of two, so that
/// every product is exact in every type.
constexpr int premultiplier(Rank rank) { return rank.value % 2 == 0 ? 2 : 1; }

/// The most ranks for which avg has an answer: with more, 1/ranks rounds to 0 in the type and so does every result.
int most_averaged_ranks(DataType type);

/// Writes elements 0 … count−1 of rank `self`'s input. `data` must be aligned for the type.
void fill_input(const Pattern& pattern, Rank self, std::byte* data, std::size_t count);

/// How many of `count` elements differ from elements `source_offset` … of the input of `from`, or of the reduction of
/// all inputs where there is no `from`.
/// @throws std::logic_error where neither `from` nor an operator is given: there is no such answer.
std::uint64_t count_wrong(const Pattern& pattern, std::optional<Rank> from, std::size_t source_offset,
                          const std::byte* data, std::size_t count);

/// The reduction of all ranks' element `index` as an exact whole number; for avg the sum before the division, for
/// premulsum the sum of what is multiplied.
/// @throws std::logic_error where the pattern has no operator.
std::int64_t expected_reduction(const Pattern& pattern, std::size_t index);

}  // namespace busbar
