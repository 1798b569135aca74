using Condense.Service.Problems;

namespace Condense.Service.Isolation;

/// <summary>A child's task failed, and the child said why: the same fault as if it had happened here.</summary>
/// <param name="fault">Why.</param>
internal sealed class ChildFaultException(ChildFault fault) : Exception(fault.Inside)
{
    /// <summary>Why.</summary>
    public Fault Fault { get; } = fault.ToFault();
}
