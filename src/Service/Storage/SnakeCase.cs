using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>Names of tables, columns, keys and indexes in snake_case, as SQL is written without quotes.</summary>
internal static partial class SnakeCase
{
    /// <summary>Renames everything in the model.</summary>
    public static void Apply(ModelBuilder modelBuilder)
    {
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            entity.SetTableName(Convert(entity.GetTableName()));
            foreach (var property in entity.GetProperties())
            {
                property.SetColumnName(Convert(property.GetColumnName()));
            }

            foreach (var key in entity.GetKeys())
            {
                key.SetName(Convert(key.GetName()));
            }

            foreach (var key in entity.GetForeignKeys())
            {
                key.SetConstraintName(Convert(key.GetConstraintName()));
            }

            foreach (var index in entity.GetIndexes())
            {
                index.SetDatabaseName(Convert(index.GetDatabaseName()));
            }
        }
    }

    private static string? Convert(string? name) => name is null ? null : WordStart().Replace(name, "_${start}").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z0-9])(?<start>[A-Z])", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WordStart();
}
