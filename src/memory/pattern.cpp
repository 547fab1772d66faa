#include "memory/pattern.h"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <vector>

#include "memory/answers.h"
#include "memory/element.h"
#include "memory/input.h"

namespace busbar {
namespace {

// --- reductions
// -------------------------------------------------------------------------------------------------------

template <class T>
void write_contributions(const element::Contributed& input, std::uint64_t first, T* data, std::size_t count) {
  element::Contributed::Cursor cursor(input, first);
  const std::uint32_t rows = std::min(input.ranks, element::distinct_places + 1);
  if (count < std::size_t{4} * rows * element::period) {  // a table would not pay
    for (std::size_t i = 0; i < count; ++i, cursor.next()) data[i] = cursor.value<T>();
    return;
  }
  std::vector<T> table;
  table.reserve(std::size_t{rows} * element::period);
  for (std::uint32_t place = 0; place < rows; ++place) {
    for (std::uint32_t phase = 0; phase < element::period; ++phase) {
      table.push_back(input.value_at<T>(place, phase));
    }
  }
  for (std::size_t i = 0; i < count; ++i, cursor.next()) {
    data[i] = table[std::min(cursor.place(), rows - 1) * element::period + cursor.phase()];
  }
}

template <class T>
std::uint64_t count_wrong_reduction(const Pattern& pattern, std::uint64_t first, const T* data, std::size_t count) {
  const auto table = accepted_answers<T>(pattern, first, std::min<std::size_t>(count, element::period));
  std::uint64_t wrong = 0;
  for (std::size_t done = 0; done < count; done += table.size()) {
    const std::size_t length = std::min(table.size(), count - done);
    std::uint32_t wrong_here = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const auto value = element::ordinal(data[done + i]);
      wrong_here += (value < table[i].least ? 1U : 0U) | (value > table[i].greatest ? 1U : 0U);
    }
    wrong += wrong_here;
  }
  return wrong;
}

// --- data movement
// ----------------------------------------------------------------------------------------------------

template <class T>
void write_moved(const element::Moved& input, std::uint64_t first, T* data, std::size_t count) {
  while (count > 0) {
    const std::uint32_t key = input.key(first);
    const auto start = static_cast<std::uint32_t>(first % input.block_elements);
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, input.block_elements - start));
    for (std::uint32_t i = 0; i < length; ++i) data[i] = element::moved_value<T>(key, start + i, input.inverted);
    first += length;
    data += length;
    count -= length;
  }
}

// --- both
// -------------------------------------------------------------------------------------------------------------

template <class T>
void write_input(const Pattern& pattern, Rank rank, std::uint64_t first, T* data, std::size_t count) {
  if (pattern.redop) {
    write_contributions(contributed(pattern, rank), first, data, count);
  } else {
    write_moved(moved(pattern, rank), first, data, count);
  }
}

template <class T>
std::uint64_t count_wrong_input(const Pattern& pattern, Rank from, std::uint64_t first, const T* data,
                                std::size_t count) {
  std::array<T, 8192 / sizeof(T)> right;  // stays in the first-level cache
  std::uint64_t wrong = 0;
  while (count > 0) {
    const std::size_t length = std::min(count, right.size());
    write_input(pattern, from, first, right.data(), length);
    std::uint32_t wrong_here = 0;
    for (std::size_t i = 0; i < length; ++i) wrong_here += element::differ(data[i], right[i]) ? 1U : 0U;
    wrong += wrong_here;
    first += length;
    data += length;
    count -= length;
  }
  return wrong;
}

}  // namespace

void fill_input(const Pattern& pattern, Rank self, std::byte* data, std::size_t count) {
  with_type(pattern.type, [&](auto v) { write_input(pattern, self, 0, reinterpret_cast<decltype(v)*>(data), count); });
}

std::uint64_t count_wrong(const Pattern& pattern, std::optional<Rank> from, std::size_t source_offset,
                          const std::byte* data, std::size_t count) {
  if (!from && !pattern.redop) throw std::logic_error("data that is only moved comes from a rank");
  return with_type(pattern.type, [&](auto v) {
    const auto* typed = reinterpret_cast<const decltype(v)*>(data);
    return from ? count_wrong_input(pattern, *from, source_offset, typed, count)
                : count_wrong_reduction(pattern, source_offset, typed, count);
  });
}

}  // namespace busbar
