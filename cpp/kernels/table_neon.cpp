// Compiled for Armv8.2 with dot product. A tile uses 24 of 32 registers for its sums.
// This object exports one symbol and uses no standard library. Otherwise the linker could merge functions compiled for
// this instruction set into code that must run without it.
#if defined(__aarch64__)
#include "kernels/fill.hpp"
#include "simd/neon.hpp"

namespace lookalike {
namespace {

struct Simd {
  using Memory = neon::Memory;
  using Floats = neon::Floats;
  using Doubles = neon::Doubles;
  template <class Byte>
  using Integers = neon::Integers<Byte>;
  using DotU8 = neon::DotU8;
  using DotU4 = neon::DotU4;
  using DotU2 = neon::DotU2;
  using DotU1 = neon::DotU1;
  using Bits = neon::Bits;
  using Keys = neon::Keys;
  using Int64s = neon::Int64s;
  using FloatTile = neon::FloatTile;
  using Columns = neon::Columns;
  using ByteTile = neon::ByteTile;
  using Block = neon::Block;
  static void store_block(void* p, Block block) { neon::store_block(p, block); }
  static void transpose(Block (&block)[FloatTile::lanes]) { neon::transpose(block); }
  static constexpr std::size_t tile_vectors = 4, tile_queries = 6;
};

}  // namespace

extern const KernelTable neon_kernels;
constinit const KernelTable neon_kernels = make_table<Simd>("neon");

}  // namespace lookalike
#endif
