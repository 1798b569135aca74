using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Stages;
using Xunit;

namespace Condense.Pipeline.Tests.Stages;

public sealed class LayerCompressorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_product_is_taken_up_again_only_where_it_was_made_from_the_same_basis()
    {
        string path = await TestModels.WriteAsync(_folder.File("w.safetensors"), TestModels.Tensor("w.weight", TestModels.Gaussian(40, 30, 0.5, 1), 40, 30));
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        var intent = RecipeResolution.Resolve(LayerFinder.Find(model), new CompressionRecipe { Layers = [new LayerRule("w.weight", "low-rank", null)] }, []).Single();
        var store = new LayerStore(_folder.File("store"));
        var analyser = new LayerAnalyser(store, seed: 0, threads: 1);
        var compressor = new LayerCompressor(store, analyser, seed: 0, threads: 1);

        // What the iteration finds on large sides depends on the highest rank that was asked for.
        var few = await CompressAsync(highest: 4);
        var many = await CompressAsync(highest: 8);
        var again = await CompressAsync(highest: 4);
        Assert.NotEqual(few.Key, many.Key);
        Assert.Equal((few.Key, true), (again.Key, again.Reused));
        Assert.False(many.Reused);

        async Task<CompressedPiece> CompressAsync(int highest)
        {
            var (analysis, _) = await analyser.AnalyseAsync(intent, [Product(4), Product(highest)], TestContext.Current.CancellationToken);
            return await compressor.CompressAsync(intent, analysis.Candidates[0], analysis, TestContext.Current.CancellationToken);
        }
    }

    private static Candidate Product(int rank) =>
        new(MethodNames.LowRank, new ProductForm(new DenseForm(40, rank, FloatFormat.F32), new DenseForm(rank, 30, FloatFormat.F32)));
}
