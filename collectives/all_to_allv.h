// Who sends how much to whom in all_to_allv: public, because a native call such as MPI_Alltoallv asks for it.
//
// With c = elements / ranks, rank r keeps c elements for itself and sends rank p a share that depends only on the
// distance d = (p − r) mod ranks: c + c/2 where d is odd, c − c/2 where d is even, and exactly c at the last distance
// where ranks is even (it would have no partner). So shares differ by up to three to one, yet every rank sends and
// receives `elements` in total and (ranks−1)/ranks of them leave it: the bus factor of all_to_all is exact here too.
// With two ranks, or one element per chunk, all shares are equal.
#pragma once

#include <cstddef>
#include <vector>

#include "collectives/collective.h"

namespace busbar::collectives {

/// Elements that rank `from` sends to rank `to`.
std::size_t all_to_allv_share(const Shape& shape, Rank from, Rank to);

/// Where in its send buffer, which is in the order of receivers, `from` keeps what it sends to `to`. In elements.
std::size_t all_to_allv_send_offset(const Shape& shape, Rank from, Rank to);

/// Where in its recv buffer, which is in the order of senders, `to` puts what it receives from `from`. In elements.
std::size_t all_to_allv_recv_offset(const Shape& shape, Rank from, Rank to);

/// Everything one rank needs to know, indexed by peer; in elements.
struct AllToAllVCounts {
  std::vector<std::size_t> send_counts;
  std::vector<std::size_t> send_displacements;
  std::vector<std::size_t> recv_counts;
  std::vector<std::size_t> recv_displacements;
};

AllToAllVCounts all_to_allv_counts(const Shape& shape, Rank self);

}  // namespace busbar::collectives
