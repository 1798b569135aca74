using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Service.Problems;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Problems;

public sealed class FaultTests
{
    private const int NoSpaceLeft = 28;

    public static TheoryData<Exception, string, int, bool> Faults => new()
    {
        { new ModelFormatException(ModelFormatError.EmptyFile, "x"), "unsupported_format", 422, false },
        { new ModelFormatException(ModelFormatError.UnsupportedFormat, "x"), "unsupported_format", 422, false },
        { new ModelFormatException(ModelFormatError.MissingPart, "x"), "unsupported_format", 422, false },
        { new ModelFormatException(ModelFormatError.UnsupportedOperator, "x"), "unsupported_operator", 422, false },
        { new ModelFormatException(ModelFormatError.Truncated, "x"), "corrupt_model", 422, false },
        { new ModelFormatException(ModelFormatError.UnsafeExternalData, "x"), "unsafe_external_data", 422, false },
        { new RecipeException("infeasible_target", "x"), "infeasible_target", 422, false },
        { new RecipeException("unknown_layer", "x"), "unknown_layer", 422, false },
        { new RecipeException("incompatible_method", "x"), "incompatible_method", 422, false },
        { new RecipeException("non_finite_weights", "x"), "non_finite_weights", 422, false },
        { new IOException("x", NoSpaceLeft), "storage_full", 507, true },
        { new InsufficientMemoryException(), "out_of_memory", 500, true },
        { new InvalidOperationException("the inside"), "internal", 500, true },
        { Postgres("08006"), "database_unavailable", 503, true },
        { Postgres("57P01"), "database_unavailable", 503, true },
        { Postgres("57P03"), "database_unavailable", 503, true },
        { Postgres("53300"), "database_unavailable", 503, true },
        { Postgres("25P03"), "database_unavailable", 503, true },
        { Postgres("40P01"), "database_unavailable", 503, true },
        { Postgres("53100"), "storage_full", 507, true },
        { Postgres("23505"), "internal", 500, true },
        { new NpgsqlException("The connection pool has been exhausted", new TimeoutException()), "database_unavailable", 503, true },
        { new InvalidOperationException("wrapped", new DbUpdateException("again", new NpgsqlException("cut", new IOException()))), "database_unavailable", 503, true },
    };

    private static PostgresException Postgres(string state) => new("x", "ERROR", "ERROR", state);

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void Every_cause_has_its_code_and_only_ours_are_tried_again(Exception cause, string code, int status, bool ours)
    {
        var fault = Fault.Of(cause);
        Assert.Equal((code, status, ours), (fault.Kind.Code, fault.Kind.Status, fault.IsOurs));
    }

    [Fact]
    public void Our_own_fault_tells_nothing_of_the_inside() =>
        Assert.DoesNotContain("inside", Fault.Of(new InvalidOperationException("the inside")).Detail, StringComparison.Ordinal);
}
