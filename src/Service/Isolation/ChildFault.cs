using Condense.Pipeline.Recipes;
using Condense.Service.Problems;

namespace Condense.Service.Isolation;

/// <summary>A <see cref="Fault"/> on its way from a child to the service.</summary>
/// <param name="Code">The kind's word.</param>
/// <param name="Detail">What happened.</param>
/// <param name="Errors">Each offending place.</param>
/// <param name="Nearest">For an infeasible target: the nearest feasible one.</param>
/// <param name="Layer">The layer or tensor that it concerns, if one.</param>
/// <param name="Inside">The exception with its stack, for the log.</param>
internal sealed record ChildFault(string Code, string Detail, IReadOnlyList<FieldError> Errors, CompressionTarget? Nearest, string? Layer, string Inside)
{
    /// <summary>Describes an exception.</summary>
    public static ChildFault Of(Exception exception)
    {
        var fault = Fault.Of(exception);
        return new ChildFault(fault.Kind.Code, fault.Detail, fault.Errors, fault.Nearest, fault.Layer, exception.ToString());
    }

    /// <summary>The fault itself.</summary>
    public Fault ToFault() => new(ProblemKind.OfCode(Code), Detail, Errors, Nearest, Layer);
}
