#include "transport/ucx/notes.h"

#include <cstring>

namespace busbar::ucx {

Notes::Notes(Mesh& mesh)
    : mesh_(mesh), mapping_(mesh.context(), Bytes{static_cast<std::uint64_t>(mesh.size()) * 2 * line}) {
  std::memset(mapping_.data(), 0, mapping_.size().value);
  const auto address = reinterpret_cast<std::uint64_t>(mapping_.data());
  const auto* const raw = reinterpret_cast<const std::byte*>(&address);
  std::vector<std::byte> mine(raw, raw + sizeof(address));
  const std::vector<std::byte> key = mapping_.packed_key();
  mine.insert(mine.end(), key.begin(), key.end());
  for (const std::string& told : mesh.share(mine)) {
    Place place;
    told.copy(reinterpret_cast<char*>(&place.address), sizeof(place.address));
    place.packed_key = told.substr(sizeof(place.address));
    places_.push_back(std::move(place));
  }
}

void Notes::meet(const std::set<Rank>& peers) {
  for (const Rank peer : peers) {
    Place& place = places_.at(static_cast<std::size_t>(peer.value));
    if (place.key) continue;
    ucp_rkey_h key = nullptr;
    check(ucp_ep_rkey_unpack(mesh_.endpoint(peer), place.packed_key.data(), &key), "ucp_ep_rkey_unpack", peer);
    place.key.reset(key);
  }
}

}  // namespace busbar::ucx
