using System.Security.Cryptography;
using System.Text;
using Condense.Models;
using Condense.Models.Formats.Numpy;
using Condense.Models.Tensors;
using Condense.Pipeline.Recipes;
using Condense.Service.Problems;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Library;

/// <summary>The address <c>/v1/models/{id}/tensors/{name}</c>.</summary>
internal static class TensorEndpoint
{
    private const string Segment = "/tensors/";

    /// <summary>Names among which the nearest are looked for, when there is none of the name asked for.</summary>
    private const int Compared = 10_000;

    private const int MaxFileName = 100;

    /// <summary>Downloads one tensor as `.npy`.</summary>
    /// <remarks>
    /// Exactly as the file has it, for `numpy.load`. What NumPy has no type for is widened to the smallest type that holds every value exactly: bf16 and
    /// floats of 8, 6 and 4 bits become `&lt;f4`, integers of 4 and 2 bits `|i1` or `|u1`. The name is that of `layers` or of the file, percent-encoded (`/` as
    /// it is or as `%2F`). `Range`, `If-Range` and `If-None-Match` work as for the content.
    /// </remarks>
    /// <param name="id">The model.</param>
    /// <param name="name">The tensor.</param>
    /// <param name="http">The request.</param>
    /// <param name="library">The models.</param>
    /// <param name="opener">Opens them.</param>
    /// <response code="200">The tensor.</response>
    /// <response code="206">The bytes of the range.</response>
    /// <response code="304">The client has it (`If-None-Match`).</response>
    public static async Task<FileStreamHttpResult> Get(string id, string name, HttpContext http, ModelLibrary library, ModelOpener opener)
    {
        var model = await library.GetAsync(id, http.RequestAborted);
        ModelEndpoints.RequireReady(model);
        name = NameOf(http, name);
        var stream = await OpenAsync(model, name, library, opener, http.RequestAborted);
        http.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        return TypedResults.Stream(
            stream,
            Upload.OctetStream,
            FileNameOf(name),
            lastModified: null,
            new EntityTagHeaderValue($"\"npy-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{model.Sha256}\n{name}")))}\""),
            enableRangeProcessing: true);
    }

    /// <summary>The name as the client encoded it: the path that routes see has lost which slash was encoded, and what looked like a folder above.</summary>
    private static string NameOf(HttpContext http, string routed)
    {
        string target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string path = query < 0 ? target : target[..query];
        int start = path.IndexOf(Segment, StringComparison.OrdinalIgnoreCase);
        return start < 0 ? routed : Uri.UnescapeDataString(path[(start + Segment.Length)..]);
    }

    private static async Task<NpyStream> OpenAsync(StoredModel model, string name, ModelLibrary library, ModelOpener opener, CancellationToken cancellationToken)
    {
        var files = await library.FetchAsync(model, cancellationToken);
        try
        {
            return await opener.RunAsync(() => Find(model, name, files), cancellationToken);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>The tensor. Of the model's structure, which may be large, nothing else stays while the client reads.</summary>
    private static NpyStream Find(StoredModel model, string name, FetchedModel files)
    {
        var opened = ModelReader.Open(files.Parts, ReadLimits.Default);
        try
        {
            var tensor = opened.Tensors.FirstOrDefault(item => string.Equals(item.Name, name, StringComparison.Ordinal))
                ?? throw new ProblemException(
                    ProblemKind.NotFound, $"The model {model.Id} has no tensor of that name.{NearestNames.Hint(name, opened.Tensors.Take(Compared).Select(item => item.Name))}");
            return tensor.DType == DType.String
                ? throw new ProblemException(ProblemKind.IncompatibleMethod, "The tensor holds text, which has no form as .npy without Python objects.")
                : new NpyStream(tensor, opened.Files, files);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private static string FileNameOf(string name)
    {
        string plain = string.Concat(name.Take(MaxFileName).Select(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_' ? character : '_'));
        return $"{plain.TrimStart('.')}.npy";
    }
}
