using System.Globalization;
using System.Reflection;

namespace Condense.Conventions.Tests;

/// <summary>The name under which the compiler writes a member's documentation (C# specification, annex D.4.2).</summary>
internal static class DocumentationId
{
    public static string Of(MemberInfo member) => member switch
    {
        Type type => "T:" + OpenName(type),
        FieldInfo field => $"F:{OpenName(field.DeclaringType!)}.{field.Name}",
        EventInfo @event => $"E:{OpenName(@event.DeclaringType!)}.{@event.Name}",
        PropertyInfo property => $"P:{OpenName(property.DeclaringType!)}.{property.Name}{Parameters(property.GetIndexParameters())}",
        ConstructorInfo constructor => $"M:{OpenName(constructor.DeclaringType!)}.{(constructor.IsStatic ? "#cctor" : "#ctor")}{Parameters(constructor.GetParameters())}",
        MethodInfo method => $"M:{OpenName(method.DeclaringType!)}.{method.Name.Replace('.', '#')}{Arity(method)}{Parameters(method.GetParameters())}{Result(method)}",
        _ => throw new ArgumentException($"{member.MemberType} has no documentation.", nameof(member)),
    };

    private static string Arity(MethodInfo method) => method.IsGenericMethod ? string.Create(CultureInfo.InvariantCulture, $"``{method.GetGenericArguments().Length}") : "";

    // Conversions may differ by their result alone.
    private static string Result(MethodInfo method) => method.Name is "op_Implicit" or "op_Explicit" ? "~" + Name(method.ReturnType) : "";

    private static string Parameters(ParameterInfo[] parameters) =>
        parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(parameter => Name(parameter.ParameterType)))})";

    private static string OpenName(Type type) => (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName!.Replace('+', '.');

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{(type.DeclaringMethod is null ? "`" : "``")}{type.GenericParameterPosition}");
        }

        if (type.IsByRef)
        {
            return Name(type.GetElementType()!) + "@";
        }

        if (type.IsPointer)
        {
            return Name(type.GetElementType()!) + "*";
        }

        if (type.IsArray)
        {
            var bounds = type.IsSZArray ? "" : string.Join(',', Enumerable.Repeat("0:", type.GetArrayRank()));
            return $"{Name(type.GetElementType()!)}[{bounds}]";
        }

        return type.IsGenericType ? Constructed(type) : type.FullName!.Replace('+', '.');
    }

    // Each type of a nesting takes as many of the arguments as it declares itself: Outer{A}.Inner{B}.
    private static string Constructed(Type type)
    {
        var arguments = type.GetGenericArguments();
        var taken = 0;
        var parts = OpenName(type).Split('.').Select(part =>
        {
            var tick = part.IndexOf('`', StringComparison.Ordinal);
            if (tick < 0)
            {
                return part;
            }

            var own = arguments.Skip(taken).Take(int.Parse(part.AsSpan(tick + 1), CultureInfo.InvariantCulture)).Select(Name).ToList();
            taken += own.Count;
            return $"{part[..tick]}{{{string.Join(',', own)}}}";
        });
        return string.Join('.', parts);
    }
}
