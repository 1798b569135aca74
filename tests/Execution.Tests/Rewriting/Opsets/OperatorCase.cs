using Condense.Models.Rewriting.Opsets;

namespace Condense.Execution.Tests.Rewriting.Opsets;

/// <summary>A small model around one operator.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Opset">The opset that it is written in.</param>
/// <param name="Build">Adds inputs, nodes and outputs.</param>
/// <param name="NewestRun">The newest opset in which ONNX Runtime has the operator.</param>
internal sealed record OperatorCase(string Name, long Opset, Func<TestModel, TestModel> Build, long NewestRun = OpsetConversion.Newest);
