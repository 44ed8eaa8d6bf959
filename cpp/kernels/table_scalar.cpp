// Portable C++: runs on any CPU.
// This object exports one symbol and uses no standard library. Otherwise the linker could merge functions compiled for
// this instruction set into code that must run without it.
#include "kernels/fill.hpp"
#include "simd/scalar.hpp"

namespace lookalike {
namespace {

struct Simd {
  using Memory = scalar::Memory;
  using Floats = scalar::Floats;
  using Doubles = scalar::Doubles;
  template <class Byte>
  using Integers = scalar::Integers<Byte>;
  using DotU8 = scalar::DotU8;
  using DotU4 = scalar::DotU4;
  using DotU2 = scalar::DotU2;
  using DotU1 = scalar::DotU1;
  using Bits = scalar::Bits;
  using Keys = scalar::Keys;
  using Int64s = scalar::Int64s;
  using FloatTile = scalar::FloatTile;
  using Columns = scalar::Columns;
  using ByteTile = scalar::ByteTile;
  using Block = scalar::Block;
  static void store_block(void* p, Block block) { scalar::store_block(p, block); }
  static void transpose(Block (&block)[FloatTile::lanes]) { scalar::transpose(block); }
  static constexpr std::size_t tile_vectors = 4, tile_queries = 4;
};

}  // namespace

extern const KernelTable scalar_kernels;
constinit const KernelTable scalar_kernels = make_table<Simd>("scalar");

}  // namespace lookalike
