using System.Text.Json;
using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Service.Datasets;
using Condense.Service.Hosting;
using Condense.Service.Library;

namespace Condense.Service.Jobs;

/// <summary>Gets what a job works with, for the worker that has it and for those that assist.</summary>
internal sealed class JobInputs(ModelLibrary models, DatasetLibrary datasets)
{
    /// <summary>Fetches the model and reads the counts.</summary>
    public async Task<Fetched> FetchAsync(Job job, CancellationToken cancellationToken)
    {
        var request = JsonSerializer.Deserialize<JobRequest>(job.RequestJson, ApiJson.Options)!;
        var model = await models.GetAsync(job.ModelId, cancellationToken);
        var counts = job.DatasetId is null ? null : (await datasets.ReadAsync(job.DatasetId, cancellationToken)).Counts;
        return new Fetched(model, await models.FetchAsync(model, cancellationToken), request.OutputFormatFor(model.Format!.Value), request.ToRecipe(counts));
    }

    /// <summary>What a job works with; the files are there until it is disposed.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Files">Its files.</param>
    /// <param name="OutputFormat">The format of the result.</param>
    /// <param name="Recipe">What is asked.</param>
    internal sealed record Fetched(StoredModel Model, FetchedModel Files, ModelFormat OutputFormat, CompressionRecipe Recipe) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => Files.Dispose();
    }
}
