// The simulated hardware: SimGrid loads this as its platform, and it builds what the file that BUSBAR_PLATFORM names
// describes. One thing a line, what it rests on before it; scripts/busbar/simulate/description.py writes it:
//
//   zone NAME star|full PARENT          PARENT - for the outermost
//   router NAME ZONE
//   host NAME ZONE NODE ROLE REDUCTION  NODE: what the engine calls it; ROLE: worker or aggregator; REDUCTION, - where
//                                       it takes no time: bytes per second of one of two vectors that a worker's rank
//                                       combines, or of all that an aggregator takes in to reduce
//   link NAME ZONE BYTES_PER_S LATENCY_S shared|fatpipe [FOR_S EVERY_S LEFT_BYTES_PER_S]
//                                       it flaps: for the first FOR_S of every EVERY_S only so much is left
//   route ZONE FROM TO GATEWAY_FROM GATEWAY_TO LINK,LINK   - for none; in a star FROM or TO is -, all others
//   shortcut ZONE FROM TO GATEWAY_FROM GATEWAY_TO LINK,LINK   between zones somewhere inside of ZONE, past their routes
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <simgrid/kernel/ProfileBuilder.hpp>
#include <simgrid/kernel/routing/NetPoint.hpp>
#include <simgrid/s4u/Engine.hpp>
#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/Link.hpp>
#include <simgrid/s4u/NetZone.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace sg4 = simgrid::s4u;
namespace profile = simgrid::kernel::profile;
using simgrid::kernel::routing::NetPoint;

// Nothing computes on the simulated cores, but hosts must have some speed.
constexpr double flops = 1e9;

class Builder {
 public:
  void take(const std::string& line) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "zone") return zone(words);
    if (kind == "router") return router(words);
    if (kind == "host") return host(words);
    if (kind == "link") return link(words);
    if (kind == "route") return route(words);
    if (kind == "shortcut") return shortcut(words);
    if (!kind.empty()) throw std::invalid_argument("unknown line '" + line + "'");
  }

  /// Inner zones first.
  void seal() {
    for (auto name = order_.rbegin(); name != order_.rend(); ++name) zones_.at(*name)->seal();
  }

 private:
  void zone(std::istringstream& words) {
    std::string name, kind, parent;
    words >> name >> kind >> parent;
    sg4::NetZone* const made = kind == "star" ? sg4::create_star_zone(name) : sg4::create_full_zone(name);
    if (parent != "-") made->set_parent(zones_.at(parent));
    zones_[name] = made;
    order_.push_back(name);
    points_[name] = made->get_netpoint();
  }

  void router(std::istringstream& words) {
    std::string name, zone;
    words >> name >> zone;
    points_[name] = zones_.at(zone)->create_router(name);
  }

  void host(std::istringstream& words) {
    std::string name, zone, node, role, reduction;
    words >> name >> zone >> node >> role >> reduction;
    sg4::Host* const made = zones_.at(zone)->create_host(name, flops);
    made->set_property("node", node);
    made->set_property("role", role);
    made->set_property("reduction", reduction);
    made->seal();
    points_[name] = made->get_netpoint();
  }

  void link(std::istringstream& words) {
    std::string name, zone, sharing;
    double bytes_per_s = 0;
    double latency_s = 0;
    words >> name >> zone >> bytes_per_s >> latency_s >> sharing;
    sg4::Link* const made = zones_.at(zone)->create_link(name, bytes_per_s);
    made->set_latency(latency_s);
    made->set_sharing_policy(sharing == "fatpipe" ? sg4::Link::SharingPolicy::FATPIPE
                                                  : sg4::Link::SharingPolicy::SHARED);
    if (double for_s = 0, every_s = 0, left = 0; words >> for_s >> every_s >> left) {
      flap(*made, bytes_per_s, for_s, every_s, left);
    }
    made->seal();
    links_[name] = made;
  }

  // A flow never gets faster than its links were when it began, in SimGrid. So the link keeps its rate but for the last
  // digit, which says when less passes, and what passes is asked for whenever the rate changes.
  static void flap(sg4::Link& link, double bytes_per_s, double for_s, double every_s, double left) {
    const double down = std::nextafter(bytes_per_s, 0.0);
    std::ostringstream values;
    values.precision(std::numeric_limits<double>::max_digits10);
    values << 0.0 << ' ' << down << '\n' << for_s << ' ' << bytes_per_s << '\n';
    link.set_bandwidth_profile(profile::ProfileBuilder::from_string(link.get_name(), values.str(), every_s));
    link.set_sharing_policy(sg4::Link::SharingPolicy::NONLINEAR, [&link, bytes_per_s, left](double all, int /*flows*/) {
      return link.get_bandwidth() < bytes_per_s ? left : all;
    });
  }

  struct Way {
    sg4::NetZone* zone;
    NetPoint* from;
    NetPoint* to;
    NetPoint* gateway_from;
    NetPoint* gateway_to;
    std::vector<sg4::LinkInRoute> links;
  };

  Way way(std::istringstream& words) const {
    std::string zone, from, to, gateway_from, gateway_to, list;
    words >> zone >> from >> to >> gateway_from >> gateway_to >> list;
    Way found{zones_.at(zone), point(from), point(to), point(gateway_from), point(gateway_to), {}};
    std::istringstream names(list == "-" ? "" : list);
    for (std::string name; std::getline(names, name, ',');) found.links.emplace_back(links_.at(name));
    return found;
  }

  void route(std::istringstream& words) {
    const Way found = way(words);
    found.zone->add_route(found.from, found.to, found.gateway_from, found.gateway_to, found.links,
                          /*symmetrical=*/false);
  }

  void shortcut(std::istringstream& words) {
    const Way found = way(words);
    found.zone->add_bypass_route(found.from, found.to, found.gateway_from, found.gateway_to, found.links);
  }

  NetPoint* point(const std::string& name) const { return name == "-" ? nullptr : points_.at(name); }

  std::map<std::string, sg4::NetZone*> zones_;
  std::vector<std::string> order_;
  std::map<std::string, NetPoint*> points_;
  std::map<std::string, const sg4::Link*> links_;
};

}  // namespace

extern "C" void load_platform(const sg4::Engine& /*engine*/);

extern "C" void load_platform(const sg4::Engine& /*engine*/) {
  const char* const path = std::getenv("BUSBAR_PLATFORM");
  if (path == nullptr) throw std::invalid_argument("BUSBAR_PLATFORM names no platform");
  std::ifstream file(path);
  if (!file) throw std::invalid_argument("the platform " + std::string{path} + " cannot be read");
  Builder builder;
  for (std::string line; std::getline(file, line);) builder.take(line);
  builder.seal();
}
