using System.Text.Json;
using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Stages;
using Condense.Service.Isolation;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Problems;

/// <summary>The one map from exceptions to problems, for answers and for jobs alike.</summary>
/// <param name="Kind">What kind of problem it is.</param>
/// <param name="Detail">What happened; for our own faults nothing of the inside.</param>
/// <param name="Errors">Each offending place.</param>
/// <param name="Nearest">For an infeasible target: the nearest feasible one.</param>
/// <param name="Layer">The layer or tensor that it concerns, if one.</param>
internal sealed record Fault(
    ProblemKind Kind, string Detail, IReadOnlyList<FieldError> Errors, CompressionTarget? Nearest = null, string? Layer = null)
{
    /// <summary>ENOSPC and EDQUOT, as .NET hands them on.</summary>
    private static readonly int[] s_diskFull = [28, 122];

    /// <summary>How an attempt that failed so has ended: the kind's word, unless something else is to be said of it.</summary>
    public string AttemptEnd { get; init; } = Kind.Code;

    /// <summary>Whether it lies with us: worth another attempt, and worth a log entry.</summary>
    public bool IsOurs => Kind.Status >= 500;

    /// <summary>Describes an exception.</summary>
    public static Fault Of(Exception exception) => exception switch
    {
        ProblemException problem => new(problem.Kind, problem.Message, problem.Errors),
        ModelFormatException format => new(KindOf(format.Code), Describe(format), [], Layer: format.Tensor),
        RecipeException recipe => new(
            ProblemKind.OfRecipe(recipe.Code),
            recipe.Message,
            [.. recipe.Problems.Select(problem => new FieldError(problem.Pointer, problem.Detail))],
            recipe.Nearest),
        BadHttpRequestException { InnerException: JsonException json } => OfJson(json),
        BadHttpRequestException { StatusCode: 400 } bad => OfBadRequest(bad),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } bad => new(ProblemKind.PayloadTooLarge, $"{bad.Message} GET /v1/limits lists the limits.", []),
        BadHttpRequestException bad => new(ProblemKind.OfStatus(bad.StatusCode), bad.Message, []),
        VerificationException failed => new(ProblemKind.VerificationFailed, failed.Message, []),
        ChildFaultException child => child.Fault,
        ChildDiedException { RanOutOfMemory: true } died => new(ProblemKind.OutOfMemory, died.Message, []),
        ChildDiedException died => new(ProblemKind.Internal, died.Message, []) { AttemptEnd = Jobs.AttemptEnd.WorkerDied },
        OutOfMemoryException => new(ProblemKind.OutOfMemory, "The model needs more memory than this machine has free.", []),
        IOException io when s_diskFull.Contains(io.HResult) => StorageFull,
        _ when DatabaseFault.IsFull(exception) => StorageFull,
        _ when DatabaseFault.IsAway(exception) => new(ProblemKind.DatabaseUnavailable, "The database does not answer, or is too busy. Try again in a moment.", []),
        _ when DatabaseFault.IsConflict(exception) => new(ProblemKind.DatabaseUnavailable, "Too many requests change the same thing at once. Try again in a moment.", []),
        DbUpdateException { InnerException: { } inner } => Of(inner),
        _ => new(ProblemKind.Internal, "An unexpected error occurred; the service's log has the details.", []),
    };

    private static Fault StorageFull => new(ProblemKind.StorageFull, "The disk of the data folder or of the database is full. Free some space, then try again.", []);

    private static ProblemKind KindOf(ModelFormatError error) => error switch
    {
        ModelFormatError.UnsupportedFormat or ModelFormatError.EmptyFile or ModelFormatError.UnsupportedVersion or ModelFormatError.MissingPart
            or ModelFormatError.UnsupportedArchive => ProblemKind.UnsupportedFormat,
        ModelFormatError.UnsupportedOperator => ProblemKind.UnsupportedOperator,
        ModelFormatError.UnsafePickle => ProblemKind.UnsafePickle,
        ModelFormatError.ArchiveBomb => ProblemKind.ArchiveBomb,
        ModelFormatError.UnsafeExternalData => ProblemKind.UnsafeExternalData,
        _ => ProblemKind.CorruptModel,
    };

    private static string Describe(ModelFormatException exception)
    {
        string offset = exception.Offset is { } at ? $" (at byte {at})" : "";
        return exception.Code == ModelFormatError.MissingPart
            ? $"{exception.Message}{offset} A model of several files begins with POST /v1/models?parts=true and takes each of them at POST /v1/models/{{id}}/parts?name=…."
            : exception.Message + offset;
    }

    /// <summary>What the framework refuses before a handler sees it: an absent body, a query parameter that does not parse, a broken message.</summary>
    private static Fault OfBadRequest(BadHttpRequestException exception)
    {
        if (exception.Message.Contains("no body was provided", StringComparison.Ordinal))
        {
            return new(ProblemKind.MalformedJson, "A JSON document belongs into the body; it is empty or null.", [new FieldError("", "A JSON document belongs here.")]);
        }

        // Failed to bind parameter "Nullable<int> limit" from "x".
        string[] quoted = exception.Message.Split('"');
        if (exception.Message.StartsWith("Failed to bind parameter", StringComparison.Ordinal) && quoted.Length > 1)
        {
            string name = quoted[1][(quoted[1].LastIndexOf(' ') + 1)..];
            return Of(ProblemException.Field($"?{name}", quoted[1].StartsWith("bool", StringComparison.Ordinal) ? "true or false belongs here." : "A number belongs here."));
        }

        return new(ProblemKind.MalformedHeader, exception.Message, []);
    }

    /// <summary>
    /// The serializer wraps a syntax error of the reader in an exception of its own; anything else is well-formed JSON that does not fit.
    /// </summary>
    private static Fault OfJson(JsonException exception)
    {
        string pointer = JsonPointer.FromPath(exception.Path);
        if (exception.InnerException is JsonException syntax)
        {
            string place = $"line {(syntax.LineNumber ?? 0) + 1}, byte {(syntax.BytePositionInLine ?? 0) + 1}";
            return new(ProblemKind.MalformedJson, $"The body is not well-formed JSON at {place}.", [new FieldError(pointer, $"Not JSON at {place}.")]);
        }

        bool unknown = exception.Message.Contains("could not be mapped", StringComparison.Ordinal);
        string detail = (unknown, exception.InnerException) switch
        {
            (true, _) => "This version does not know this field.",
            (_, { } inner) => inner.Message,
            _ when exception.Message.Contains("missing required properties", StringComparison.Ordinal) => Missing(exception.Message),
            _ when exception.Message.Contains("uplicate", StringComparison.Ordinal) => "The field stands twice.",
            _ => "The value is not of the kind that belongs here.",
        };
        return new(ProblemKind.InvalidField, $"{(pointer.Length == 0 ? "The body" : pointer)}: {detail}", [new FieldError(pointer, detail)]);
    }

    /// <summary>Of the serializer's sentence only the names: its types are nobody's business.</summary>
    private static string Missing(string message)
    {
        string names = message[(message.LastIndexOf(':') + 1)..].Trim().TrimEnd('.');
        return $"Required and missing: {names}.";
    }
}
