#include "transport/ucx/program.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

namespace busbar::ucx {
namespace {

/// A rank's four buffers, in this order: the inputs of both slots, the output, scratch.
constexpr std::size_t buffer_count = 4;

std::size_t index_of(BufferId buffer, int slot) {
  if (buffer == BufferId::send) return static_cast<std::size_t>(slot);
  return buffer == BufferId::recv ? 2 : 3;
}

/// Where every rank's buffers are, and the keys to them.
class Directory {
 public:
  Directory(const Buffers& buffers, Mesh& mesh, const Ledger& ledger) : mesh_(mesh) {
    std::vector<std::byte> mine;
    for (const std::byte* const buffer : {buffers.input[0], buffers.input[1], buffers.recv, buffers.scratch}) {
      const std::vector<std::byte> key = ledger.find(buffer).packed_key();
      append(mine, reinterpret_cast<std::uint64_t>(buffer));
      append(mine, key.size());
      mine.insert(mine.end(), key.begin(), key.end());
    }
    for (const std::string& told : mesh.share(mine)) ranks_.push_back(parse(told));
  }

  std::uint64_t address(Rank rank, BufferId buffer, int slot) const { return entry(rank, buffer, slot).address; }

  ucp_rkey_h key(Rank rank, BufferId buffer, int slot) {
    const auto [found, fresh] = unpacked_.try_emplace({rank, index_of(buffer, slot)}, nullptr);
    if (fresh) {
      const Entry& e = entry(rank, buffer, slot);
      check(ucp_ep_rkey_unpack(mesh_.endpoint(rank), e.packed_key.data(), &found->second), "ucp_ep_rkey_unpack", rank);
      keys_.emplace_back(found->second);
    }
    return found->second;
  }

  std::vector<RemoteKey> release_keys() { return std::move(keys_); }

 private:
  struct Entry {
    std::uint64_t address = 0;
    std::string packed_key;
  };
  using Entries = std::array<Entry, buffer_count>;

  static void append(std::vector<std::byte>& to, std::uint64_t number) {
    const auto raw = std::as_bytes(std::span{&number, 1});
    to.insert(to.end(), raw.begin(), raw.end());
  }

  static std::uint64_t take_number(const std::string& from, std::size_t& at) {
    std::uint64_t number = 0;
    from.copy(reinterpret_cast<char*>(&number), sizeof(number), at);
    at += sizeof(number);
    return number;
  }

  static Entries parse(const std::string& told) {
    Entries entries;
    std::size_t at = 0;
    for (Entry& entry : entries) {
      entry.address = take_number(told, at);
      const std::uint64_t length = take_number(told, at);
      entry.packed_key = told.substr(at, length);
      at += length;
    }
    return entries;
  }

  const Entry& entry(Rank rank, BufferId buffer, int slot) const {
    return ranks_.at(static_cast<std::size_t>(rank.value)).at(index_of(buffer, slot));
  }

  Mesh& mesh_;
  std::vector<Entries> ranks_;
  std::map<std::pair<Rank, std::size_t>, ucp_rkey_h> unpacked_;
  std::vector<RemoteKey> keys_;
};

/// The spans that `schedule` sends to `to`, or receives from `from`, in order.
std::vector<Span> sent_to(const Schedule& schedule, Rank to) {
  std::vector<Span> spans;
  for (const Step& step : schedule.steps) {
    for (const Send& s : step.sends) {
      if (s.to == to) spans.push_back(s.data);
    }
  }
  return spans;
}

struct Expected {
  Span data;
  Permission permission;
};
std::vector<Expected> received_from(Schedules& schedules, Rank receiver, Rank from) {
  const std::vector<Permission> allowed = permissions(schedules, receiver);
  std::vector<Expected> all;
  std::size_t n = 0;
  for (const Step& step : schedules.of(receiver).steps) {
    for (const Receive& r : step.receives) {
      if (r.from == from) all.push_back({r.data, allowed.at(n)});
      ++n;
    }
  }
  return all;
}

/// Fills in a program, message by message.
class Compiler {
 public:
  Compiler(const OperationSpec& spec, const Buffers& buffers, Mesh& mesh, const Ledger& ledger, bool remote)
      : spec_(spec), local_(spec, buffers), mesh_(mesh), schedules_(spec) {
    if (remote) directory_.emplace(buffers, mesh, ledger);
  }

  Program compile() {
    const Schedule& own = schedules_.of(mesh_.self());
    Program program;
    program.streams = streams(own);
    for (const Step& step : own.steps) {
      ProgramStep ready{.before = step.before, .grants = {}, .sends = {}, .receives = {}, .after = step.after};
      for (const Send& s : step.sends) ready.sends.push_back(outgoing(s));
      for (const Receive& r : step.receives) ready.receives.push_back(incoming(r));
      program.steps.push_back(std::move(ready));
    }
    if (directory_) {
      add_grants(program);
      program.keys = directory_->release_keys();
    }
    return program;
  }

 private:
  std::size_t element() const { return size_of(spec_.type); }

  Outgoing outgoing(const Send& s) {
    Outgoing m{.to = s.to, .endpoint = mesh_.endpoint(s.to), .bytes = local_.bytes(s.data)};
    for (const int slot : {0, 1}) m.data[slot] = local_.at(s.data, slot);
    if (!directory_) return m;
    auto [there, first] = theirs_.try_emplace(s.to);
    if (first) there->second.receives = received_from(schedules_, s.to, mesh_.self());
    const Expected& expected = there->second.receives.at(there->second.next_receive++);
    m.remote = directory_->address(s.to, expected.data.buffer, 0) + expected.data.offset * element();
    m.key = directory_->key(s.to, expected.data.buffer, 0);
    m.permission = expected.permission.kind;
    m.receiver_waits = !streams(schedules_.of(s.to)) || !streams(schedules_.of(mesh_.self()));
    return m;
  }

  Incoming incoming(const Receive& r) {
    Incoming m{.from = r.from,
               .endpoint = mesh_.endpoint(r.from),
               .data = local_.at(r.data, 0),
               .bytes = local_.bytes(r.data)};
    if (!directory_) return m;
    auto [there, first] = sources_.try_emplace(r.from);
    if (first) there->second.sends = sent_to(schedules_.of(r.from), mesh_.self());
    m.sender_waits = !streams(schedules_.of(r.from));
    const Span& source = there->second.sends.at(there->second.next_send++);
    for (const int slot : {0, 1}) {
      m.remote[slot] = directory_->address(r.from, source.buffer, slot) + source.offset * element();
      m.key[slot] = directory_->key(r.from, source.buffer, slot);
    }
    return m;
  }

  /// Each permission is granted once, by one number for all messages of a sender that it holds for.
  void add_grants(Program& program) {
    const std::vector<Permission> allowed = permissions(schedules_, mesh_.self());
    std::map<Rank, std::uint64_t> posted;  // from this sender, before the step that follows
    std::map<std::pair<std::size_t, Rank>, std::uint64_t> granted_at;
    std::map<Rank, std::uint64_t> at_start;
    std::map<Rank, std::uint64_t> numbers;
    std::size_t n = 0;
    for (const ProgramStep& step : program.steps) {
      for (const Incoming& m : step.receives) {
        const std::uint64_t number = ++numbers[m.from];
        const Permission& permission = allowed.at(n++);
        if (permission.kind == Permission::Kind::when_fresh) at_start[m.from] = number;
        if (permission.kind == Permission::Kind::when_told) granted_at[{permission.step, m.from}] = number;
      }
    }
    for (const auto& [from, number] : at_start) program.at_start.push_back({from, number});
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
      for (const auto& [key, number] : granted_at) {
        if (key.first == s) program.steps[s].grants.push_back({key.second, number - posted[key.second]});
      }
      for (const Incoming& m : program.steps[s].receives) ++posted[m.from];
    }
  }

  struct Receives {
    std::vector<Expected> receives;
    std::size_t next_receive = 0;
  };
  struct Sends {
    std::vector<Span> sends;
    std::size_t next_send = 0;
  };

  const OperationSpec& spec_;
  LocalWorker local_;
  Mesh& mesh_;
  SchedulesOf schedules_;
  std::optional<Directory> directory_;
  std::map<Rank, Receives> theirs_;
  std::map<Rank, Sends> sources_;
};

}  // namespace

std::size_t Program::most_sends() const {
  std::size_t most = 0;
  for (const ProgramStep& step : steps) most = std::max(most, step.sends.size());
  return most;
}

std::size_t Program::most_receives() const {
  std::size_t most = 0;
  for (const ProgramStep& step : steps) most = std::max(most, step.receives.size());
  return most;
}

const Schedule& SchedulesOf::of(Rank rank) {
  const auto [found, fresh] = known_.try_emplace(rank);
  if (fresh) found->second = spec_.collective->schedule(spec_.shape, rank);
  return found->second;
}

std::set<Rank> peers_of(const Schedule& schedule) {
  std::set<Rank> peers;
  for (const Step& step : schedule.steps) {
    for (const Send& s : step.sends) peers.insert(s.to);
    for (const Receive& r : step.receives) peers.insert(r.from);
  }
  return peers;
}

Program make_program(const OperationSpec& spec, const Buffers& buffers, Mesh& mesh, const Ledger& ledger, bool remote) {
  return Compiler(spec, buffers, mesh, ledger, remote).compile();
}

}  // namespace busbar::ucx
