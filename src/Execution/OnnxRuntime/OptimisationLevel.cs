namespace Condense.Execution.OnnxRuntime;

/// <summary>How far ONNX Runtime may rewrite a graph before it runs it; the numbers are the runtime's.</summary>
public enum OptimisationLevel
{
    /// <summary>Not at all: each node is computed as the file has it.</summary>
    Disabled = 0,

    /// <summary>What a session does unless told otherwise: all fusions, some of which change the arithmetic.</summary>
    Default = 99,
}
