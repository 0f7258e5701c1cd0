using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.Stages.Columns;

/// <summary>What an estimator asks of its input columns, and what it adds to them.</summary>
internal static class ColumnCheck
{
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is no scalar text; in ML.NET's wording.</exception>
    public static void Text(SchemaShape schema, string role, string column) =>
        Require(schema, role, column, "String", c => IsScalar(c) && c.ItemType is TextDataViewType);

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no images; in ML.NET's wording.</exception>
    public static void Image(SchemaShape schema, string role, string column) =>
        Require(schema, role, column, "Image", c => IsScalar(c) && c.ItemType is ImageDataViewType);

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is no vector of text; in ML.NET's wording.</exception>
    public static void Texts(SchemaShape schema, string role, string column) =>
        Require(schema, role, column, "Vector<String>", c => !IsScalar(c) && c.ItemType is TextDataViewType);

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no 64-bit integers; in ML.NET's wording.</exception>
    public static void Seed(SchemaShape schema, string? column)
    {
        if (column is not null)
        {
            Require(schema, "seed", column, "Int64", c => IsScalar(c) && !c.IsKey && c.ItemType == NumberDataViewType.Int64);
        }
    }

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no truth values; in ML.NET's wording.</exception>
    public static void Flag(SchemaShape schema, string role, string? column)
    {
        if (column is not null)
        {
            Require(schema, role, column, "Boolean", c => IsScalar(c) && c.ItemType is BooleanDataViewType);
        }
    }

    /// <summary>Whether the column is there.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is there and is no scalar of the given type; in ML.NET's wording.</exception>
    public static bool Optional(SchemaShape schema, string role, string? column, DataViewType type)
    {
        if (column is null || !schema.TryFindColumn(column, out _))
        {
            return false;
        }
        Require(schema, role, column, type.ToString()!, c => IsScalar(c) && !c.IsKey && c.ItemType.Equals(type));
        return true;
    }

    /// <summary>The shape of a schema: what estimators see of it.</summary>
    public static SchemaShape ShapeOf(DataViewSchema schema) => SchemaShape.Create(schema);

    /// <summary>The shape with further columns, which take the place of those that have their names.</summary>
    public static SchemaShape Add(SchemaShape schema, params IEnumerable<SchemaShape.Column> added)
    {
        Dictionary<string, SchemaShape.Column> columns = schema.ToDictionary(c => c.Name);
        foreach (SchemaShape.Column column in added)
        {
            columns[column.Name] = column;
        }
        return new SchemaShape(columns.Values);
    }

    private static bool IsScalar(SchemaShape.Column column) => column.Kind == SchemaShape.Column.VectorKind.Scalar;

    private static void Require(SchemaShape schema, string role, string name, string expected, Func<SchemaShape.Column, bool> fits)
    {
        if (!schema.TryFindColumn(name, out SchemaShape.Column column))
        {
            throw Contracts.ExceptSchemaMismatch("inputSchema", role, name);
        }
        if (!fits(column))
        {
            throw Contracts.ExceptSchemaMismatch("inputSchema", role, name, expected, column.GetTypeString());
        }
    }
}
