using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Stages;
using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Library;
using Condense.Service.Storage;

namespace Condense.Service.Jobs;

/// <summary>
/// Judges recipes before they are accepted. A verdict depends on the model's bytes and the recipe alone, and neither changes: many jobs alike,
/// sent at once, are judged once.
/// </summary>
internal sealed class RecipeJudge(IServiceScopeFactory scopes, ModelOpener opener)
{
    /// <summary>Verdicts that are remembered; beyond, all are forgotten. A verdict is a short key.</summary>
    private const int Remembered = 1000;

    private readonly ConcurrentDictionary<string, Lazy<Task<long>>> _verdicts = new(StringComparer.Ordinal);

    /// <summary>Returns when the recipe fits the model: bytes of memory that the run is likely to need.</summary>
    /// <exception cref="ModelFormatException">The model can't be read.</exception>
    /// <exception cref="RecipeException">The recipe does not fit the model, or its target can't be met.</exception>
    /// <param name="model">The model.</param>
    /// <param name="output">The format asked for.</param>
    /// <param name="recipe">What is asked.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task<long> JudgeAsync(StoredModel model, ModelFormat output, CompressionRecipe recipe, CancellationToken cancellationToken)
    {
        // The seed decides nothing here.
        byte[] document = JsonSerializer.SerializeToUtf8Bytes(recipe with { Seed = 0 }, ApiJson.Options);
        string files = string.Join('+', model.Parts.Select(part => $"{part.Name}={part.Sha256}").Prepend(model.Sha256).Order(StringComparer.Ordinal));
        string key = $"{files}/{output}/{Convert.ToHexString(SHA256.HashData(document))}";
        if (_verdicts.Count >= Remembered)
        {
            _verdicts.Clear();
        }

        var verdict = _verdicts.GetOrAdd(
            key,
            _ => new Lazy<Task<long>>(() => CheckAsync(model, output, recipe)));
        try
        {
            return await verdict.Value.WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A refusal is told to those who wait for it now, and judged anew for the next: it may have been ours.
            _verdicts.TryRemove(KeyValuePair.Create(key, verdict));
            throw;
        }
    }

    /// <summary>Others wait for the verdict, too: it needs nothing of the request that asked first, which may go.</summary>
    private async Task<long> CheckAsync(StoredModel model, ModelFormat output, CompressionRecipe recipe)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<Patience>().DoNotWait();
        scope.ServiceProvider.GetRequiredService<Caller>().Become(model.TenantId);
        using var files = await scope.ServiceProvider.GetRequiredService<ModelLibrary>().FetchAsync(model, CancellationToken.None);
        return await opener.RunAsync(() => CompressionRun.Check(files.Parts, output, recipe), CancellationToken.None);
    }
}
