#include "bench/workload.h"

namespace busbar {

Workload::Workload(Channel& channel, MemorySpace& space, const OperationSpec& spec, Rank self, std::uint64_t seed)
    : space_(space),
      spec_(spec),
      self_(self),
      seed_(seed),
      layout_(spec.collective->layout(spec.shape, self)),
      element_(size_of(spec.type)),
      shares_buffer_(layout_.send == 0 && layout_.input > 0) {
  const auto bytes = [this](std::size_t elements) { return Bytes{elements * element_}; };
  recv_ = space_.allocate(bytes(layout_.recv));
  scratch_ = space_.allocate(bytes(channel.scratch_elements(spec_)));

  Buffers buffers{.input = {}, .recv = recv_->data(), .scratch = scratch_->data()};
  for (int slot = 0; slot < 2; ++slot) {
    pristine_[slot] = space_.allocate(bytes(layout_.input));
    space_.fill(pristine_[slot]->data(), layout_.input, pattern(slot), self_);
    buffers.input[slot] = shares_buffer_ ? own_input() : pristine_[slot]->data();
  }
  poison();
  operation_ = channel.prepare(spec_, buffers);
}

Pattern Workload::pattern(int slot) const {
  return Pattern{.type = spec_.type,
                 .redop = spec_.collective->traits().reduces ? spec_.redop : std::nullopt,
                 .ranks = spec_.shape.ranks,
                 .seed = seed_ * 2 + static_cast<std::uint64_t>(slot)};
}

void Workload::renew(int slot) {
  if (!shares_buffer_) return;
  space_.copy(own_input(), pristine_[slot]->data(), Bytes{layout_.input * element_});
}

void Workload::poison() { space_.poison(recv_->data(), Bytes{layout_.recv * element_}); }

Verification Workload::verify(int slot) const {
  Verification v;
  for (const Segment& s : spec_.collective->answer(spec_.shape, self_)) {
    v.checked += s.count;
    v.wrong += space_.count_wrong(recv_->data() + s.offset * element_, s.count, pattern(slot), s.from, s.source_offset);
  }
  return v;
}

}  // namespace busbar
