using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Xml.Linq;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>Whatever one project shows to another says what it is.</summary>
public sealed class DocumentationTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static TheoryData<string> Projects => Repository.SourceProjects;

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_public_member_is_documented(string project)
    {
        var documented = XDocument.Load(Path.ChangeExtension(Repository.Assembly(project), ".xml"))
            .Descendants("member")
            .Where(member => member.Element("inheritdoc") is not null || !string.IsNullOrWhiteSpace(member.Element("summary")?.Value))
            .Select(member => member.Attribute("name")!.Value)
            .ToHashSet(StringComparer.Ordinal);
        Offences.None(PublicMembers(project).Select(DocumentationId.Of).Where(id => !documented.Contains(id)));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Documentation_names_every_parameter_that_it_should(string project)
    {
        var members = XDocument.Load(Path.ChangeExtension(Repository.Assembly(project), ".xml")).Descendants("member")
            .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);
        // An operator's and a delegate-like lambda's operands explain themselves; a method's parameters do not.
        Offences.None(
            from method in PublicMembers(project).OfType<MethodBase>()
            where !method.Name.StartsWith("op_", StringComparison.Ordinal)
            let documentation = members.GetValueOrDefault(DocumentationId.Of(method))
            where documentation is not null && documentation.Element("inheritdoc") is null && documentation.Elements("param").Any()
            from parameter in method.GetParameters()
            where !documentation.Elements("param").Any(element => string.Equals(element.Attribute("name")?.Value, parameter.Name, StringComparison.Ordinal) && !string.IsNullOrWhiteSpace(element.Value))
            select $"{DocumentationId.Of(method)}: {parameter.Name}");
    }

    [Theory]
    [InlineData(typeof(Dictionary<,>), "TryGetValue", "M:System.Collections.Generic.Dictionary`2.TryGetValue(`0,`1@)")]
    [InlineData(typeof(Array), "ConvertAll", "M:System.Array.ConvertAll``2(``0[],System.Converter{``0,``1})")]
    [InlineData(typeof(Dictionary<,>.Enumerator), "MoveNext", "M:System.Collections.Generic.Dictionary`2.Enumerator.MoveNext")]
    [InlineData(typeof(decimal), "ToOACurrency", "M:System.Decimal.ToOACurrency(System.Decimal)")]
    public void A_documentation_id_is_what_the_compiler_writes(Type type, string method, string id) =>
        Assert.Equal(id, DocumentationId.Of(type.GetMethod(method)!));

    private static IEnumerable<MemberInfo> PublicMembers(string project)
    {
        foreach (var type in Load(project).GetExportedTypes().Where(type => !IsGenerated(type)))
        {
            yield return type;
            if (typeof(Delegate).IsAssignableFrom(type))
            {
                continue;
            }

            foreach (var member in type.GetMembers(Declared).Where(IsVisible))
            {
                yield return member;
            }
        }
    }

    private static bool IsVisible(MemberInfo member) => member switch
    {
        // What a record or a compiler adds has no source to document; what overrides or implements is documented where it was declared.
        _ when IsGenerated(member) => false,
        FieldInfo field => (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName,
        ConstructorInfo constructor => IsShown(constructor) && constructor.GetParameters().Length > 0 && !IsCopy(constructor),
        MethodInfo method => IsShown(method) && method.GetBaseDefinition() == method && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(accessor => IsShown(accessor) && accessor.GetBaseDefinition() == accessor),
        EventInfo @event => IsShown(@event.AddMethod!),
        _ => false, // Nested types come by themselves.
    };

    private static bool IsShown(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsGenerated(MemberInfo member) =>
        member.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
        || member.Name.Contains('<', StringComparison.Ordinal)
        || member.Name is "EqualityContract" or "Deconstruct"
        || (member is Type { Name: "Program", Namespace: null });

    private static bool IsCopy(ConstructorInfo constructor) => constructor.GetParameters() is [var only] && only.ParameterType == constructor.DeclaringType;

    // In a context of its own, with its own dependencies: these tests reference none of the projects.
    private static Assembly Load(string project)
    {
        var path = Repository.Assembly(project);
        var resolver = new AssemblyDependencyResolver(path);
        var context = new AssemblyLoadContext(project);
        context.Resolving += (loader, name) => resolver.ResolveAssemblyToPath(name) is { } file ? loader.LoadFromAssemblyPath(file) : null;
        return context.LoadFromAssemblyPath(path);
    }
}
