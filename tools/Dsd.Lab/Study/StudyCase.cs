using Dsd.Imaging;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary>One picture that every system of the study is asked for: a subject that no training has seen, in a new context.</summary>
/// <param name="SubjectIndex">Number of the subject within the study, from 0. Cases of one subject share subject and reference.</param>
/// <param name="Subject">Who is to be seen: the truth, for the measure alone.</param>
/// <param name="ReferenceContext">Where the reference shows it.</param>
/// <param name="Reference">The reference picture.</param>
/// <param name="ReferenceCaption">The reference as text: a single caption, which mentions only some of the attributes.</param>
/// <param name="Context">The context that is asked for.</param>
/// <param name="Prompt">The prompt that asks for it; it does not describe the subject.</param>
/// <param name="Seed">Where the noise starts.</param>
internal sealed record StudyCase(
    int SubjectIndex,
    Subject Subject,
    Context ReferenceContext,
    Picture Reference,
    Caption ReferenceCaption,
    Context Context,
    Caption Prompt,
    long Seed);
