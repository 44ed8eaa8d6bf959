// Compiled for x86-64-v3: AVX2, FMA, F16C. A tile uses 12 of 16 registers for its sums.
// This object exports one symbol and uses no standard library. Otherwise the linker could merge functions compiled for
// this instruction set into code that must run without it.
#if defined(__x86_64__)
#include "kernels/fill.hpp"
#include "simd/avx2.hpp"

namespace lookalike {
namespace {

struct Simd {
  using Memory = avx2::Memory;
  using Floats = avx2::Floats;
  using Doubles = avx2::Doubles;
  template <class Byte>
  using Integers = avx2::Integers<Byte>;
  using DotU8 = avx2::DotU8;
  using DotU4 = avx2::DotU4;
  using DotU2 = avx2::DotU2;
  using DotU1 = avx2::DotU1;
  using Bits = avx2::Bits;
  using Keys = avx2::Keys;
  using Int64s = avx2::Int64s;
  using FloatTile = avx2::FloatTile;
  using Columns = avx2::Columns;
  using ByteTile = avx2::ByteTile;
  using Block = avx2::Block;
  static void store_block(void* p, Block block) { avx2::store_block(p, block); }
  static void transpose(Block (&block)[FloatTile::lanes]) { avx2::transpose(block); }
  static constexpr std::size_t tile_vectors = 2, tile_queries = 6;
};

}  // namespace

extern const KernelTable avx2_kernels;
constinit const KernelTable avx2_kernels = make_table<Simd>("avx2");

}  // namespace lookalike
#endif
