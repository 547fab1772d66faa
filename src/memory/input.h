// One rank's input, element by element, for host and device code. answers.h makes these from a pattern.
#pragma once

#include <bit>
#include <cstdint>

#include "memory/element.h"

namespace busbar::element {

/// Whether the bits of the two differ: -0 is not 0 here, and NaN is itself.
template <class T>
BUSBAR_HOST_DEVICE constexpr bool differ(T a, T b) {
  return std::bit_cast<Ordinal<T>>(a) != std::bit_cast<Ordinal<T>>(b);
}

/// Input to a reduction: at element i the rank holds place (place + i) mod ranks and the phase is (phase + i) mod
/// period.
struct Contributed {
  Contributions contributions;
  std::uint32_t ranks = 1;
  std::uint32_t place = 0;
  std::uint32_t phase = 0;
  std::int32_t factor = 1;  ///< of every contribution

  template <class T>
  BUSBAR_HOST_DEVICE constexpr T value_at(std::uint32_t at_place, std::uint32_t at_phase) const {
    return from_integer<T>(contributions.at(at_place, at_phase) * factor);
  }

  /// Stands at one element and goes on without a division.
  class Cursor {
   public:
    BUSBAR_HOST_DEVICE constexpr Cursor(const Contributed& input, std::uint64_t index)
        : input_(&input),
          place_(static_cast<std::uint32_t>((input.place + index % input.ranks) % input.ranks)),
          phase_(static_cast<std::uint32_t>((input.phase + index % period) % period)) {}
    BUSBAR_HOST_DEVICE constexpr std::uint32_t place() const { return place_; }
    BUSBAR_HOST_DEVICE constexpr std::uint32_t phase() const { return phase_; }
    template <class T>
    BUSBAR_HOST_DEVICE constexpr T value() const {
      return input_->value_at<T>(place_, phase_);
    }
    template <class T>
    BUSBAR_HOST_DEVICE constexpr bool wrong(T found) const {
      return differ(found, value<T>());
    }
    BUSBAR_HOST_DEVICE constexpr void next() {
      place_ = place_ + 1 == input_->ranks ? 0 : place_ + 1;
      phase_ = phase_ + 1 == period ? 0 : phase_ + 1;
    }

   private:
    const Contributed* input_;
    std::uint32_t place_;
    std::uint32_t phase_;
  };
};

/// Input that is only moved. Each block of elements has a key of its own, so that within one block all is 32-bit
/// arithmetic.
struct Moved {
  static constexpr std::uint64_t block_elements = 65536;

  std::uint64_t source = 0;    ///< from seed and rank
  std::uint32_t inverted = 0;  ///< all ones or none

  BUSBAR_HOST_DEVICE constexpr std::uint32_t key(std::uint64_t index) const {
    return static_cast<std::uint32_t>(mix64(source + index / block_elements) >> 32U);
  }

  class Cursor {
   public:
    BUSBAR_HOST_DEVICE constexpr Cursor(const Moved& input, std::uint64_t index)
        : input_(&input), index_(index), key_(input.key(index)) {}
    template <class T>
    BUSBAR_HOST_DEVICE constexpr T value() const {
      return moved_value<T>(key_, static_cast<std::uint32_t>(index_ % block_elements), input_->inverted);
    }
    template <class T>
    BUSBAR_HOST_DEVICE constexpr bool wrong(T found) const {
      return differ(found, value<T>());
    }
    BUSBAR_HOST_DEVICE constexpr void next() {
      if (++index_ % block_elements == 0) key_ = input_->key(index_);
    }

   private:
    const Moved* input_;
    std::uint64_t index_;
    std::uint32_t key_;
  };
};

/// The answer of a reduction: what element i may be is entry i mod period of the table.
template <class T>
struct Answers {
  const Accepted<T>* table = nullptr;

  class Cursor {
   public:
    BUSBAR_HOST_DEVICE constexpr Cursor(const Answers& answers, std::uint64_t index)
        : table_(answers.table), at_(static_cast<std::uint32_t>(index % period)) {}
    BUSBAR_HOST_DEVICE constexpr bool wrong(T found) const { return !table_[at_].holds(found); }
    BUSBAR_HOST_DEVICE constexpr void next() { at_ = at_ + 1 == period ? 0 : at_ + 1; }

   private:
    const Accepted<T>* table_;
    std::uint32_t at_;
  };
};

}  // namespace busbar::element
