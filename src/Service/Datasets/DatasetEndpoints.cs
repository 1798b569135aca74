using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Idempotency;
using Condense.Service.Library;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Datasets;

/// <summary>The addresses under <c>/v1/datasets</c>.</summary>
internal static class DatasetEndpoints
{
    /// <summary>The type of counts as JSON.</summary>
    public const string Json = "application/json";

    /// <summary>The type of counts in two columns.</summary>
    public const string TabSeparated = "text/tab-separated-values";

    /// <summary>Adds them.</summary>
    public static void MapDatasets(this RouteGroupBuilder group)
    {
        var datasets = group.MapGroup("/datasets").WithTags("Datasets");
        datasets.MapPost("/", Create).WithName("CreateDataset").Needs(Scope.ModelsWrite).WithCounts().Reads(ContentDigest.Field)
            .Fails(ProblemKind.MalformedJson, ProblemKind.InvalidField, ProblemKind.QuotaExceeded);
        datasets.MapGet("/", List).WithName("ListDatasets").Needs(Scope.ModelsRead);
        datasets.MapGet("/{id}", Get).WithName("GetDataset").Needs(Scope.ModelsRead);
        datasets.MapDelete("/{id}", Delete).WithName("DeleteDataset").Needs(Scope.ModelsWrite).Reads(RequestField.IfMatch).Fails(ProblemKind.ResourceInUse);
    }

    /// <summary>Uploads token counts.</summary>
    /// <remarks>
    /// How often each token occurs, in the order of the table's rows: count i belongs to row i of an embedding or output layer. As JSON
    /// (`{"vocab": […], "counts": […]}`, the vocabulary may be absent), or as two columns `token⇥count`
    /// (`text/tab-separated-values`). A job that names the dataset under `frequencies` keeps frequent rows better than rare ones.
    /// </remarks>
    /// <param name="http">The request.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="store">The artifacts.</param>
    /// <param name="library">The datasets.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="name">What people shall call it, at most 200 characters.</param>
    /// <response code="201">The dataset.</response>
    public static async Task<Created<DatasetResponse>> Create(
        HttpContext http, IdempotentRequest first, ArtifactStore store, DatasetLibrary library, IOptions<LimitsOptions> limits, string? name = null)
    {
        first.AnswerWith<Dataset>(dataset => KeptAnswer.Created($"/v1/datasets/{dataset.Id}", DatasetResponse.Of(dataset)));
        string? given = ResourceName.Check(name);
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || !(type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase) || type.MediaType.Equals(TabSeparated, StringComparison.OrdinalIgnoreCase)))
        {
            throw new ProblemException(ProblemKind.UnsupportedMediaType, $"Token counts come as {Json} or {TabSeparated}; this is \"{http.Request.ContentType}\".");
        }

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = limits.Value.DatasetBytes;
        }

        string? announced = ContentDigest.Parse(http.Request.Headers[ContentDigest.ContentField]);
        await using var file = await store.StageAsync(http.Request.Body, http.Request.ContentLength, limits.Value.DatasetBytes, http.RequestAborted);
        ContentDigest.Verify(announced, file);
        var dataset = await library.AddAsync(file, given, http.RequestAborted);
        return TypedResults.Created($"/v1/datasets/{dataset.Id}", DatasetResponse.Of(dataset));
    }

    /// <summary>Lists datasets, newest first.</summary>
    /// <param name="http">The request.</param>
    /// <param name="db">The tables.</param>
    /// <param name="limit">Items of the page, 1 to 100. Default 20.</param>
    /// <param name="cursor">The `nextCursor` of the page before.</param>
    /// <response code="200">A page; the header `Link` names the next one.</response>
    public static async Task<Ok<Page<DatasetResponse>>> List(HttpContext http, CondenseDbContext db, int? limit = null, string? cursor = null)
    {
        ListQuery.Check(http.Request);
        return TypedResults.Ok(await Page.ReadAsync(
            before => db.Datasets.AsNoTracking()
                .Where(dataset => before == null || dataset.Id.CompareTo(before) < 0)
                .OrderByDescending(dataset => dataset.Id),
            limit,
            cursor,
            dataset => dataset.Id,
            DatasetResponse.Of,
            http));
    }

    /// <summary>Fetches a dataset.</summary>
    /// <param name="id">The dataset.</param>
    /// <param name="library">The datasets.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="200">The dataset.</response>
    public static async Task<Ok<DatasetResponse>> Get(string id, DatasetLibrary library, CancellationToken cancellationToken) =>
        TypedResults.Ok(DatasetResponse.Of(await library.GetAsync(id, cancellationToken)));

    /// <summary>Deletes a dataset.</summary>
    /// <remarks>Refused while an unfinished job uses it.</remarks>
    /// <param name="id">The dataset.</param>
    /// <param name="http">The request.</param>
    /// <param name="library">The datasets.</param>
    /// <response code="204">It is gone.</response>
    public static async Task<NoContent> Delete(string id, HttpContext http, DatasetLibrary library)
    {
        if (http.Request.Headers.IfMatch.Count > 0)
        {
            DocumentTags.RequireMatch(http.Request, DocumentTags.Of(DatasetResponse.Of(await library.GetAsync(id, http.RequestAborted))));
        }

        await library.RemoveAsync(id, http.RequestAborted);
        return TypedResults.NoContent();
    }
}
