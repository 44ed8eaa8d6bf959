// Concurrency of HNSW indexes: builds are deterministic, and readers see consistent states.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "answers.hpp"
#include "clusters.hpp"
#include "index/any_index.hpp"
#include "index/hnsw/hnsw.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::Found;
using testing::id_range;
using testing::saved;
using testing::search;
using testing::Vectors;
using testing::view_of;

TEST_CASE("the same seed gives the same bytes for any number of threads, and a saved index can be loaded") {
  struct Case {
    Quantization codes;
    Metric metric;
  };
  const Vectors vectors = clustered(700, 80, Element::f32, 1), queries = clustered(30, 80, Element::f32, 2);
  for (const Case& c : {Case{Quantization::automatic, Metric::ip}, Case{Quantization::automatic, Metric::cosine},
                        Case{Quantization::rabitq, Metric::ip}, Case{Quantization::f32, Metric::cosine}}) {
    CAPTURE(std::string(name_of(c.codes)));
    HnswSettings settings;
    settings.codes = c.codes;
    std::vector<std::shared_ptr<std::vector<std::byte>>> files;
    for (const unsigned threads : {1u, 2u, 3u}) {
      Hnsw index(0, c.metric, settings);
      index.add(vectors.view(0, 550), threads);
      index.add(vectors.view(550, 150), threads);
      index.remove(view_of(id_range(0, 50)));
      files.push_back(saved(index));
      const AnyIndex loaded = Indexes::load(FileReader::from_bytes(files.back()));
      const Hnsw& same = *std::get<std::unique_ptr<Hnsw>>(loaded);
      CHECK(search(same, queries.view(), 10, 30) == search(index, queries.view(), 10, 30, {}, threads));
      CHECK(same.quantization() == index.quantization());
      CHECK(*saved(same) == *files.back());
    }
    CHECK(*files[0] == *files[1]);
    CHECK(*files[0] == *files[2]);
  }
}

TEST_CASE("readers find the unchanged rows while a writer adds, replaces, removes and repairs") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::hamming}) {
    const std::size_t width = metric == Metric::hamming ? 16 : 40;
    const Element element = metric == Metric::hamming ? Element::bits : Element::f32;
    const Vectors vectors = clustered(600, width, element, 1), fresh = clustered(200, width, element, 2);
    Hnsw index(0, metric, {});
    index.add(vectors.view(), 2);
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0, searches = 0;
    std::thread writer([&] {
      for (std::int64_t step = 0; step < 3; ++step) {
        const std::vector<std::int64_t> ids = id_range(2000 + 1000 * step, 200);
        index.add(fresh.view(0, 150), {std::span(ids).first(150), nullptr}, 2);
        index.upsert(fresh.view(), view_of(ids), 1);
        index.upsert(vectors.view(0, 100), view_of(id_range(0, 100)), 2);
        index.remove({std::span(ids).subspan(50), nullptr});
        if (step % 2) index.optimize();
      }
      done = true;
    });
    const auto read = [&] {
      std::size_t q = 0;
      while (!done) {
        q = (q + 17) % 500;
        const Found found = search(index, vectors.view(100 + q, 1), 5, 24);
        wrong += !testing::is_in_order(found) || found.ids[4] == no_id;
        if (metric == Metric::l2) wrong += found.distances[0] > 1e-3f;
        if (q % 8 == 0) wrong += index.unreachable() > 300;  // rows of the current addition, and a few
        ++searches;
      }
    };
    std::thread readers[] = {std::thread(read), std::thread(read)};
    writer.join();
    for (std::thread& reader : readers) reader.join();
    CHECK(searches > 0);
    CHECK(wrong <= searches / 100);
    CHECK(index.records().size() == 600 + 3 * 50);
    CHECK(index.unreachable() == 0);
  }
}

}  // namespace
}  // namespace lookalike
