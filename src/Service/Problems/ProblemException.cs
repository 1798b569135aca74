namespace Condense.Service.Problems;

/// <summary>The request can't be answered as asked: the user's fault, or a state that the user should know.</summary>
internal sealed class ProblemException : Exception
{
    /// <summary>Names the kind, the cause and every place.</summary>
    public ProblemException(ProblemKind kind, string detail, IReadOnlyList<FieldError>? errors = null, Exception? innerException = null)
        : base(detail, innerException)
    {
        Kind = kind;
        Errors = errors ?? [];
    }

    /// <summary>What kind of problem it is.</summary>
    public ProblemKind Kind { get; }

    /// <summary>Each offending place; may be empty.</summary>
    public IReadOnlyList<FieldError> Errors { get; }

    /// <summary>One field that can't be used.</summary>
    public static ProblemException Field(string pointer, string detail) => new(ProblemKind.InvalidField, detail, [new FieldError(pointer, detail)]);

    /// <summary>Throws when there are offending fields.</summary>
    public static void ThrowIfAny(IReadOnlyList<FieldError> errors)
    {
        if (errors.Count > 0)
        {
            throw new ProblemException(ProblemKind.InvalidField, string.Join(" ", errors.Select(error => $"{error.Pointer}: {error.Detail}")), errors);
        }
    }
}
