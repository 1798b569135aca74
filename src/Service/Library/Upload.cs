using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Uploads;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Library;

/// <summary>Receives one file, as the body or as a part of a form, without ever holding more than a buffer of it.</summary>
internal sealed class Upload(ArtifactStore store)
{
    /// <summary>The type of a file's bytes.</summary>
    public const string OctetStream = "application/octet-stream";

    /// <summary>The type of a form with files.</summary>
    public const string Form = "multipart/form-data";

    /// <summary>Boundaries and part headers of a form, on top of the file.</summary>
    private const long FormOverhead = 64 << 10;

    private const int MaxBoundary = 200;

    /// <summary>Receives the file of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="limit">The most bytes of the file.</param>
    /// <returns>The file, and the name that the form gave it.</returns>
    /// <exception cref="ProblemException">Another type, a bad header, too many bytes, or not the announced digest.</exception>
    public async Task<(StagedFile File, string? Name)> ReceiveAsync(HttpRequest request, long limit)
    {
        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed) ? parsed : null;
        if (type is not null && type.MediaType.Equals(Form, StringComparison.OrdinalIgnoreCase))
        {
            RequestBody.Allow(request.HttpContext, limit + FormOverhead);
            return await ReceivePartAsync(request, HeaderUtilities.RemoveQuotes(type.Boundary).Value, limit);
        }

        if (type is null || !type.MediaType.Equals(OctetStream, StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(
                ProblemKind.UnsupportedMediaType, $"A file comes as {OctetStream}, or as the file part of {Form}; this is \"{request.ContentType}\".");
        }

        RequestBody.Allow(request.HttpContext, limit);
        return (await ReceiveAsync(request, request.Body, request.Headers, limit), null);
    }

    private async Task<(StagedFile File, string? Name)> ReceivePartAsync(HttpRequest request, string? boundary, long limit)
    {
        if (string.IsNullOrEmpty(boundary) || boundary.Length > MaxBoundary)
        {
            throw new ProblemException(ProblemKind.MalformedHeader, $"The content type {Form} needs a boundary of 1 to {MaxBoundary} characters.");
        }

        if (request.Headers.ContainsKey(ContentDigest.ContentField))
        {
            throw new ProblemException(ProblemKind.MalformedHeader, $"In a form, {ContentDigest.ContentField} belongs into the header of the part.");
        }

        var cancellationToken = request.HttpContext.RequestAborted;
        var reader = new MultipartReader(boundary, request.Body);
        StagedFile? file = null;
        string? name = null;
        try
        {
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                if (section.AsFileSection() is not { } part)
                {
                    throw ProblemException.Field("", "The form has a part that is not a file. Pass everything else as query parameters.");
                }

                if (file is not null)
                {
                    throw ProblemException.Field("", "The form has more than one file. Send one in each request: a model of several files takes them at POST /v1/models/{id}/parts.");
                }

                file = await ReceiveAsync(request, section.Body, new HeaderDictionary(section.Headers ?? []), limit);
                name = part.FileName.Length > 0 ? part.FileName : null;
            }
        }
        catch (Exception exception)
        {
            if (file is not null)
            {
                await file.DisposeAsync();
            }

            if (exception is InvalidDataException)
            {
                throw new ProblemException(ProblemKind.MalformedHeader, $"The form can't be read: {exception.Message}", innerException: exception);
            }

            throw;
        }

        return (file ?? throw ProblemException.Field("", "The form has no file."), name);
    }

    private async Task<StagedFile> ReceiveAsync(HttpRequest request, Stream body, IHeaderDictionary headers, long limit)
    {
        string? announced = ContentDigest.Parse(headers[ContentDigest.ContentField]);
        var file = await store.StageAsync(body, request.ContentLength, limit, request.HttpContext.RequestAborted);
        try
        {
            ContentDigest.Verify(announced, file);
            return file;
        }
        catch (ProblemException)
        {
            await file.DisposeAsync();
            throw;
        }
    }
}
