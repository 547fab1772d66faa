#include "transport/nccl/work.h"

#include <utility>

#include "transport/nccl/redop.h"
#include "transport/nccl/types.h"

namespace busbar::nccl {
namespace {

class NativeWork final : public Work {
 public:
  NativeWork(const NativeCall& native, std::shared_ptr<Communicator> comm, const OperationSpec& spec, const Call& call,
             const Buffers& buffers)
      : native_(native), comm_(std::move(comm)), op_(comm_, spec.type, spec.redop), call_(call), buffers_(buffers) {
    call_.op = op_.get();
  }
  void issue(int slot) override { comm_->check(native_.issue(call_, buffers_.input[slot]), native_.name); }

 private:
  const NativeCall& native_;
  std::shared_ptr<Communicator> comm_;
  Operator op_;
  Call call_;
  Buffers buffers_;
};

class PlannedWork final : public Work {
 public:
  PlannedWork(Plan plan, std::shared_ptr<Communicator> comm, gpu::Device& device, gpu::Stream stream, DataType type,
              const Buffers& buffers)
      : plan_(std::move(plan)),
        comm_(std::move(comm)),
        device_(device),
        stream_(stream),
        type_(type_of(type)),
        element_(size_of(type)),
        buffers_(buffers) {}

  void issue(int slot) override {
    for (const Stage& stage : plan_) {
      for (const LocalWork& copy : stage.copies) {
        device_.copy_on(stream_, at(copy.destination, slot), at(copy.source, slot),
                        Bytes{copy.source.count * element_});
      }
      if (!stage.sends.empty() || !stage.receives.empty()) exchange(stage, slot);
    }
  }

 private:
  void exchange(const Stage& stage, int slot) {
    const Functions& nccl = comm_->call();
    auto* const stream = static_cast<cudaStream_t>(stream_);
    comm_->check(nccl.group_start(), "ncclGroupStart");
    for (const busbar::Send& s : stage.sends) {
      comm_->check(nccl.send(at(s.data, slot), s.data.count, type_, s.to.value, comm_->get(), stream), "ncclSend");
    }
    for (const Receive& r : stage.receives) {
      comm_->check(nccl.recv(at(r.data, slot), r.data.count, type_, r.from.value, comm_->get(), stream), "ncclRecv");
    }
    comm_->check(nccl.group_end(), "ncclGroupEnd");
  }

  std::byte* at(const busbar::Span& span, int slot) const {
    std::byte* base = buffers_.recv;
    if (span.buffer == BufferId::send) base = buffers_.input[slot];
    if (span.buffer == BufferId::scratch) base = buffers_.scratch;
    return base + span.offset * element_;
  }

  Plan plan_;
  std::shared_ptr<Communicator> comm_;
  gpu::Device& device_;
  gpu::Stream stream_;
  ncclDataType_t type_;
  std::size_t element_;
  Buffers buffers_;
};

}  // namespace

std::unique_ptr<Work> native_work(const NativeCall& call, std::shared_ptr<Communicator> comm, gpu::Stream stream,
                                  const OperationSpec& spec, const Buffers& buffers) {
  const Shape& shape = spec.shape;
  const Call in_nccl_terms{.nccl = &comm->call(),
                           .comm = comm->get(),
                           .stream = static_cast<cudaStream_t>(stream),
                           .type = type_of(spec.type),
                           .op = ncclSum,  // NativeWork puts the operator that it owns
                           .self = comm->self().value,
                           .root = shape.root.value,
                           .count = shape.elements,
                           .chunk = shape.chunk(),
                           .chunk_bytes = shape.chunk() * size_of(spec.type),
                           .in_place = shape.in_place,
                           .recv = buffers.recv,
                           .scratch = buffers.scratch};
  return std::make_unique<NativeWork>(call, std::move(comm), spec, in_nccl_terms, buffers);
}

std::unique_ptr<Work> planned_work(std::shared_ptr<Communicator> comm, gpu::Device& device, gpu::Stream stream,
                                   const OperationSpec& spec, const Buffers& buffers) {
  Plan plan = plan_of(spec.collective->schedule(spec.shape, comm->self()));
  return std::make_unique<PlannedWork>(std::move(plan), std::move(comm), device, stream, spec.type, buffers);
}

}  // namespace busbar::nccl
