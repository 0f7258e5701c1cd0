using SkiaSharp;

namespace Dsd.Tiny.World;

/// <summary>Draws a creature in a pose onto a canvas of 96 × 96 units. Belongs to one thread.</summary>
internal sealed class CreaturePainter(Brush brush) : IDisposable
{
    private const float Ground = 89;

    private static readonly SKColor White = new(0xFF, 0xFF, 0xFF);
    private static readonly SKColor Dark = new(0x26, 0x20, 0x33);

    private readonly BodyForm[] _forms = [.. Enum.GetValues<BodyShape>().Select(BodyForm.Create)];

    private readonly SKPath _catEar = SKPath.ParseSvgPathData("M -8,4 L 2,-15 L 8,4 Z");
    private readonly SKPath _catInner = SKPath.ParseSvgPathData("M -3.5,2 L 1.6,-8 L 4.5,2 Z");
    private readonly SKPath _horn = SKPath.ParseSvgPathData("M -6,4 C -5,-6 1,-11 8,-15 C 9,-7 9,-1 6,4 Z");
    private readonly SKPath _openMouth = SKPath.ParseSvgPathData("M -8,-4 L 8,-4 C 8,8 -8,8 -8,-4 Z");
    private readonly SKPath _tongue = SKPath.ParseSvgPathData("M -4.5,3.4 C -3,-0.5 3,-0.5 4.5,3.4 C 2,5.4 -2,5.4 -4.5,3.4 Z");
    private readonly SKPath _smile = SKPath.ParseSvgPathData("M -7.5,-2.5 Q 0,6.5 7.5,-2.5");
    private readonly SKPath _beak = SKPath.ParseSvgPathData("M -8.5,-4 Q 0,-8 8.5,-4 Q 5,4 0,6 Q -5,4 -8.5,-4 Z");
    private readonly SKPath _crown = SKPath.ParseSvgPathData("M -13,2 L -14,-12 L -6.5,-5 L 0,-14 L 6.5,-5 L 14,-12 L 13,2 Z");
    private readonly SKPath _hat = SKPath.ParseSvgPathData("M -10,0 L -11,-14 Q 0,-17 11,-14 L 10,0 Z");
    private readonly SKPath _bow = SKPath.ParseSvgPathData("M 0,0 L -13,-7 Q -15,0 -13,7 Z M 0,0 L 13,-7 Q 15,0 13,7 Z");
    private readonly SKPath _scarfEnd = SKPath.ParseSvgPathData("M -4,-2 L 4.5,-2 L 6,15 L -3,15 Z");
    private readonly SKPath _cape = SKPath.ParseSvgPathData("M -13,-40 Q -28,-20 -37,3 Q -19,8 0,5 Q 19,8 37,3 Q 28,-20 13,-40 Z");

    public void Draw(Subject subject, Context context)
    {
        brush.Lighting = Palette.Creature;
        brush.Light = context.Light;
        BodyForm form = _forms[(int)subject.Shape];
        float scale = context.Scale switch { SubjectScale.Small => 0.72f, SubjectScale.Medium => 0.9f, _ => 1.08f };
        float reach = context.Scale switch { SubjectScale.Small => 23, SubjectScale.Medium => 17, _ => 11 };
        if (context.Pose == Pose.Lying)
        {
            // A lying creature is wide: it keeps nearer to the middle, so that nothing is cut off.
            reach *= 0.75f;
        }
        float x = 48 + ((int)context.Placement - 1) * reach;
        float lift = context.Pose == Pose.Jumping ? 9 : 0;

        Shadow(context, x, scale);
        SKCanvas canvas = brush.Canvas;
        canvas.Save();
        canvas.Translate(x, Ground - lift);
        canvas.Scale(scale);
        switch (context.Pose)
        {
            case Pose.Lying:
                canvas.Translate(form.Height / 2, -22);
                canvas.RotateDegrees(-82);
                canvas.Scale(0.94f);
                break;
            case Pose.Running:
                canvas.RotateDegrees(13);
                canvas.Translate(-1, -9);
                break;
            case Pose.Sitting:
                canvas.Translate(0, -5);
                break;
            default:
                canvas.Translate(0, -8);
                break;
        }
        SKColor color = Palette.Of(subject.Color);
        SKColor accessory = subject.Accessory == Accessory.None ? default : Palette.Of(subject.AccessoryColor);
        if (subject.Accessory == Accessory.Cape)
        {
            Cape(form, accessory);
        }
        SKColor feet = subject.Pattern == Pattern.TwoTone ? Palette.Of(subject.PatternColor) : color;
        Limbs(form, context.Pose, color, feet);
        if (subject.Ears != Ears.Floppy)
        {
            PaintEars(subject, form, color);
        }
        Body(subject, form, color);
        if (subject.Ears == Ears.Floppy)
        {
            PaintEars(subject, form, color);
        }
        PaintMouth(subject.Mouth, form);
        PaintEyes(subject.Eyes, form);
        Wear(subject.Accessory, subject.Eyes, form, accessory);
        if (context.Pose == Pose.Sitting)
        {
            Soles(form, feet);
        }
        canvas.Restore();
    }

    public void Dispose()
    {
        foreach (BodyForm form in _forms)
        {
            form.Outline.Dispose();
            form.Shade.Dispose();
        }
        foreach (SKPath path in (SKPath[])[_catEar, _catInner, _horn, _openMouth, _tongue, _smile, _beak, _crown, _hat, _bow, _scarfEnd, _cape])
        {
            path.Dispose();
        }
    }

    private void Shadow(Context context, float x, float scale)
    {
        float width = context.Pose switch { Pose.Jumping => 17, Pose.Lying => 33, Pose.Sitting => 28, _ => 24 };
        float shift = context.Light == Light.Sunset ? -10 * scale : 0;
        brush.Oval(x + shift, Ground + 0.5f, (width + Math.Abs(shift) * 0.6f) * scale, 4.5f * scale, new SKColor(20, 16, 40, 95));
    }

    private void Limbs(BodyForm form, Pose pose, SKColor color, SKColor feet)
    {
        (SKPoint shoulder, SKPoint hip) = (form.Shoulder, form.Hip);
        // The ends of left arm, right arm, left foot and right foot, from shoulder and hip.
        (SKPoint leftArm, SKPoint rightArm, SKPoint leftFoot, SKPoint rightFoot) = pose switch
        {
            Pose.Waving => (new SKPoint(-7, 9), new SKPoint(10, -20), new SKPoint(-1, 8), new SKPoint(1, 8)),
            Pose.Jumping => (new SKPoint(-11, -17), new SKPoint(11, -17), new SKPoint(-8, 5), new SKPoint(8, 5)),
            Pose.Sitting => (new SKPoint(-8, 11), new SKPoint(8, 11), new SKPoint(-4, 0), new SKPoint(4, 0)),
            Pose.Running => (new SKPoint(-11, 2), new SKPoint(10, -8), new SKPoint(-13, 2), new SKPoint(7, 7)),
            _ => (new SKPoint(-7, 9), new SKPoint(7, 9), new SKPoint(-1, 8), new SKPoint(1, 8)),
        };
        if (pose != Pose.Sitting)
        {
            float hipY = hip.Y;
            Limb(-hip.X, hipY, -hip.X + leftFoot.X, leftFoot.Y - 2, feet, 9);
            Limb(hip.X, hipY, hip.X + rightFoot.X, rightFoot.Y - 2, feet, 9);
        }
        Limb(-shoulder.X + 3, shoulder.Y, -shoulder.X + leftArm.X, shoulder.Y + leftArm.Y, color, 7.5f);
        Limb(shoulder.X - 3, shoulder.Y, shoulder.X + rightArm.X, shoulder.Y + rightArm.Y, color, 7.5f);
    }

    private void Limb(float x0, float y0, float x1, float y1, SKColor color, float width)
    {
        brush.Line(x0, y0, x1, y1, Palette.Outline, width + 3.6f);
        brush.Line(x0, y0, x1, y1, Palette.Mix(color, Dark, 0.1f), width);
    }

    private void Soles(BodyForm form, SKColor color)
    {
        float x = Math.Max(form.Hip.X, 13) + 5;
        foreach (int side in (ReadOnlySpan<int>)[-1, 1])
        {
            brush.OutlinedOval(side * x, -1, 7.2f, 6.2f, Palette.Mix(color, Dark, 0.1f));
            brush.Oval(side * x, -0.4f, 3.8f, 3.2f, Palette.Mix(color, White, 0.55f));
        }
    }

    private void Body(Subject subject, BodyForm form, SKColor color)
    {
        SKCanvas canvas = brush.Canvas;
        canvas.DrawPath(form.Outline, brush.Fill(color));
        canvas.Save();
        canvas.ClipPath(form.Outline, SKClipOperation.Intersect, true);
        PaintPattern(subject, form, color);
        // Soft shading: light comes from the upper left, so the lower right edge lies in shade.
        canvas.DrawPath(form.Shade, brush.Fill(new SKColor(40, 20, 70, 46)));
        canvas.DrawOval(-form.Ear.X * 0.75f, -form.Height + 7, 7, 3.6f, brush.Fill(new SKColor(255, 255, 255, 90)));
        canvas.Restore();
        canvas.DrawPath(form.Outline, brush.Stroke(Palette.Outline, 2.4f));
    }

    private void PaintPattern(Subject subject, BodyForm form, SKColor color)
    {
        if (subject.Pattern == Pattern.Plain)
        {
            return;
        }
        SKColor second = Palette.Of(subject.PatternColor);
        switch (subject.Pattern)
        {
            case Pattern.Striped:
                for (float y = 1; y > -70; y -= 12.5f)
                {
                    brush.Rect(-50, y - 6, 100, 6, second);
                }
                break;
            case Pattern.Spotted:
                foreach ((float x, float y) in ((float, float)[])
                    [(-10, -4), (10, -5), (0, -11.5f), (-21, -12), (21, -13), (-25, -28), (24, -29), (-16, -44), (15, -45), (0, -53), (0, -44)])
                {
                    brush.Circle(x, y, 4.9f, second);
                }
                break;
            case Pattern.Belly:
                brush.Oval(0, -5, 18, 14, second);
                break;
            case Pattern.TwoTone:
                brush.Rect(-50, form.MouthY + 7, 100, 60, second);
                break;
        }
        if (subject.Pattern is Pattern.Striped or Pattern.Spotted)
        {
            // The face stays free, so that eyes and mouth never meet a dark stripe.
            float middle = (form.EyeY + form.MouthY) / 2;
            brush.Oval(0, middle + 0.5f, 18, 14.5f, color);
        }
    }

    private void PaintEars(Subject subject, BodyForm form, SKColor color)
    {
        if (subject.Ears == Ears.None)
        {
            return;
        }
        SKCanvas canvas = brush.Canvas;
        // On narrow heads a hat would cover the ears.
        float aside = subject.Accessory is Accessory.Hat or Accessory.Crown && form.Ear.X < 13 ? 4.5f : 0;
        SKColor inner = Palette.Mix(color, new SKColor(0xFF, 0xB0, 0xB8), 0.65f);
        foreach (int side in (ReadOnlySpan<int>)[-1, 1])
        {
            canvas.Save();
            canvas.Translate(side * (form.Ear.X + aside), form.Ear.Y + aside);
            canvas.Scale(side, 1);
            switch (subject.Ears)
            {
                case Ears.Cat:
                    brush.Outlined(_catEar, color);
                    brush.Path(_catInner, inner);
                    break;
                case Ears.Bunny:
                    canvas.RotateDegrees(8);
                    brush.OutlinedOval(0, -8, 5.6f, 14, color);
                    brush.Oval(0, -9, 2.4f, 9, inner);
                    break;
                case Ears.Bear:
                    brush.OutlinedCircle(3, -3, 8, color);
                    brush.Circle(3, -3, 4.2f, inner);
                    break;
                case Ears.Floppy:
                    canvas.RotateDegrees(-28);
                    brush.OutlinedOval(6, 8, 6.5f, 13, Palette.Mix(color, Dark, 0.28f));
                    break;
                case Ears.Horns:
                    brush.Outlined(_horn, new SKColor(0xF0, 0xE2, 0xB6));
                    brush.Line(-4, -1.5f, 7, -1, new SKColor(0xB0, 0x94, 0x5E), 2);
                    brush.Line(-0.5f, -7, 7.5f, -7, new SKColor(0xB0, 0x94, 0x5E), 1.6f);
                    break;
                case Ears.Antennae:
                    brush.Line(0, 4, 5, -11, Palette.Outline, 3);
                    brush.OutlinedCircle(5.5f, -12, 5, Palette.Mix(color, White, 0.3f));
                    break;
            }
            canvas.Restore();
        }
    }

    private void PaintEyes(Eyes eyes, BodyForm form)
    {
        float y = form.EyeY;
        switch (eyes)
        {
            case Eyes.Two:
                Eye(-8.3f, y, 7.2f, 3.9f);
                Eye(8.3f, y, 7.2f, 3.9f);
                break;
            case Eyes.One:
                Eye(0, y - 2.5f, 10, 5.4f);
                break;
            case Eyes.Three:
                Eye(-10.8f, y + 1.5f, 5.3f, 2.9f);
                Eye(10.8f, y + 1.5f, 5.3f, 2.9f);
                Eye(0, y - 2.5f, 5.8f, 3.1f);
                break;
            case Eyes.Closed:
                foreach (int side in (ReadOnlySpan<int>)[-1, 1])
                {
                    brush.Canvas.DrawArc(new SKRect(side * 8.5f - 5.8f, y - 4, side * 8.5f + 5.8f, y + 7), 190, 160, false, brush.Stroke(Dark, 3));
                }
                break;
            case Eyes.Dots:
                foreach (int side in (ReadOnlySpan<int>)[-1, 1])
                {
                    brush.Oval(side * 8.2f, y, 4, 5.2f, Dark);
                    brush.Circle(side * 8.2f - 1.3f, y - 1.8f, 1.5f, White);
                }
                break;
        }
    }

    private void Eye(float x, float y, float radius, float pupil)
    {
        brush.OutlinedCircle(x, y, radius, White);
        brush.Circle(x, y + 0.6f, pupil, Dark);
        brush.Circle(x - pupil * 0.35f, y - pupil * 0.35f, pupil * 0.36f, White);
    }

    private void PaintMouth(Mouth mouth, BodyForm form)
    {
        SKCanvas canvas = brush.Canvas;
        canvas.Save();
        canvas.Translate(0, form.MouthY);
        canvas.Scale(1.15f);
        switch (mouth)
        {
            case Mouth.Smile:
                canvas.DrawPath(_smile, brush.Stroke(Dark, 3.2f));
                break;
            case Mouth.Open:
                brush.Outlined(_openMouth, new SKColor(0x9E, 0x1B, 0x32));
                brush.Path(_tongue, new SKColor(0xFF, 0x7B, 0x86));
                break;
            case Mouth.Teeth:
                brush.Outlined(_openMouth, White);
                brush.Line(-3, -3, -3, 3.5f, Dark, 1.3f);
                brush.Line(3, -3, 3, 3.5f, Dark, 1.3f);
                break;
            case Mouth.Beak:
                brush.Outlined(_beak, new SKColor(0xFF, 0xA0, 0x1C));
                brush.Line(-5, -1.6f, 5, -1.6f, new SKColor(0xA8, 0x58, 0x10), 1.4f);
                break;
        }
        canvas.Restore();
    }

    private void Cape(BodyForm form, SKColor color)
    {
        SKCanvas canvas = brush.Canvas;
        canvas.Save();
        canvas.Translate(0, 2);
        canvas.Scale(Math.Max(form.Shoulder.X + 14, 36) / 36, form.Height / 48);
        brush.Outlined(_cape, color);
        canvas.Restore();
    }

    private void Wear(Accessory accessory, Eyes eyes, BodyForm form, SKColor color)
    {
        SKCanvas canvas = brush.Canvas;
        SKColor shade = Palette.Mix(color, color.Red + color.Green + color.Blue < 250 ? White : Dark, 0.3f);
        canvas.Save();
        switch (accessory)
        {
            case Accessory.Hat:
                canvas.Translate(0, form.HatY + 3);
                brush.Outlined(_hat, color);
                brush.Rect(-10, -5.5f, 20, 4, shade);
                brush.OutlinedOval(0, 0.5f, 16, 3, color);
                break;
            case Accessory.Crown:
                canvas.Translate(0, form.HatY + 3);
                brush.Outlined(_crown, color);
                brush.Circle(0, -3, 2.2f, shade);
                brush.Circle(-7.5f, -2, 1.6f, shade);
                brush.Circle(7.5f, -2, 1.6f, shade);
                break;
            case Accessory.Bow:
                canvas.Translate(0, form.NeckY + 1.5f);
                brush.Outlined(_bow, color);
                brush.OutlinedCircle(0, 0, 3.4f, shade);
                break;
            case Accessory.Scarf:
                Scarf(form, color, shade);
                break;
            case Accessory.Glasses:
                Glasses(eyes, form, color);
                break;
        }
        canvas.Restore();
    }

    private void Scarf(BodyForm form, SKColor color, SKColor shade)
    {
        SKCanvas canvas = brush.Canvas;
        canvas.Save();
        canvas.ClipPath(form.Outline, SKClipOperation.Intersect, true);
        brush.Line(-60, form.NeckY, 60, form.NeckY, Palette.Outline, 9.8f);
        brush.Line(-60, form.NeckY, 60, form.NeckY, color, 6.4f);
        canvas.Restore();
        canvas.DrawPath(form.Outline, brush.Stroke(Palette.Outline, 2f));
        canvas.Translate(9, form.NeckY);
        brush.Outlined(_scarfEnd, color);
        brush.Line(-1.8f, 10, 4.3f, 10, shade, 2);
        brush.OutlinedCircle(0, 0, 5, color);
    }

    private void Glasses(Eyes eyes, BodyForm form, SKColor color)
    {
        float y = eyes == Eyes.One ? form.EyeY - 2.5f : form.EyeY;
        (float x, float radius) = eyes switch
        {
            Eyes.One => (0, 11.5f),
            Eyes.Three => (11f, 7.5f),
            _ => (9f, 8.4f),
        };
        SKCanvas canvas = brush.Canvas;
        foreach ((SKColor ink, float width) in ((SKColor, float)[])[(Palette.Outline, 5.4f), (color, 3.2f)])
        {
            float span = x + radius;
            canvas.DrawCircle(-x, y, radius, brush.Stroke(ink, width));
            canvas.DrawCircle(x, y, radius, brush.Stroke(ink, width));
            brush.Line(-span - 4, y - 2, -span, y - 1, ink, width);
            brush.Line(span + 4, y - 2, span, y - 1, ink, width);
        }
    }
}
