// Compiled for x86-64-v4 with VNNI and VPOPCNTDQ. A tile uses 24 of 32 registers for its sums.
// This object exports one symbol and uses no standard library. Otherwise the linker could merge functions compiled for
// this instruction set into code that must run without it.
#if defined(__x86_64__)
#include "kernels/fill.hpp"
#include "simd/avx512.hpp"

namespace lookalike {
namespace {

struct Simd {
  using Memory = avx512::Memory;
  using Floats = avx512::Floats;
  using Doubles = avx512::Doubles;
  template <class Byte>
  using Integers = avx512::Integers<Byte>;
  using DotU8 = avx512::DotU8;
  using DotU4 = avx512::DotU4;
  using DotU2 = avx512::DotU2;
  using DotU1 = avx512::DotU1;
  using Bits = avx512::Bits;
  using Keys = avx512::Keys;
  using Int64s = avx512::Int64s;
  using FloatTile = avx512::FloatTile;
  using Columns = avx512::Columns;
  using ByteTile = avx512::ByteTile;
  using Block = avx512::Block;
  static void store_block(void* p, Block block) { avx512::store_block(p, block); }
  static void transpose(Block (&block)[FloatTile::lanes]) { avx512::transpose(block); }
  static constexpr std::size_t tile_vectors = 2, tile_queries = 12;
};

}  // namespace

extern const KernelTable avx512_kernels;
constinit const KernelTable avx512_kernels = make_table<Simd>("avx512");

}  // namespace lookalike
#endif
