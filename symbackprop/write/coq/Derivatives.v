(* Derivatives of functions of one real variable, powers with rational exponents, and signs. *)
From Coq Require Import ZArith_base Lia.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From mathcomp.classical Require Import boolp classical_sets functions mathcomp_extra.
From mathcomp.analysis Require Import reals signed topology normedtype derive realfun sequences exp trigo.
Require Import Sums.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Import numFieldNormedType.Exports.
Local Open Scope classical_set_scope.
Local Open Scope ring_scope.
Delimit Scope Z_scope with Z.

Section Derivatives.
Variable R : realType.
Implicit Types (f g : R -> R) (t u x y : R).

(* x^n for an integer n, and e^{q log x} for a fraction q, of a positive x *)
Definition powz (x : R) (n : Z) : R :=
  match n with Z0 => 1 | Zpos p => x ^+ Pos.to_nat p | Zneg p => (x ^+ Pos.to_nat p)^-1 end.
Definition root (x : R) (q : frac) : R := if 0 < x then expR (qr R q * ln x) else 0.
Definition pw (x : R) (q : frac) : R := if Pos.eqb (bottom q) 1 then powz x (top q) else root x q.

Lemma pw_0 x : pw x (Frac 0 1) = 1. Proof. by []. Qed.
Lemma pw_1 x : pw x (Frac 1 1) = x. Proof. exact: expr1. Qed.
Lemma pw_inv x : pw x (Frac (-1) 1) = x^-1. Proof. by rewrite /pw /= expr1. Qed.
Lemma pw_nat x n : pw x (Frac (Z.of_nat n) 1) = x ^+ n.
Proof. by case: n => [|n] //; rewrite /pw /= SuccNat2Pos.id_succ. Qed.

Lemma powz_zero n : (n <> 0)%Z -> powz 0 n = 0.
Proof.
by case: n => [|p|p] // _; rewrite /powz expr0n; case: eqP => //; rewrite ?invr0 //; lia.
Qed.
Lemma pw_zero n d : (n <> 0)%Z -> pw 0 (Frac n d) = 0.
Proof. by move=> n0; rewrite /pw /root ltxx; case: ifP => // _; exact: powz_zero. Qed.

Lemma powz_gt0 x n : 0 < x -> 0 < powz x n.
Proof. by move=> x0; case: n => [|p|p]; rewrite ?ltr01 /= ?invr_gt0 ?exprn_gt0. Qed.
Lemma powz_ln x n : 0 < x -> powz x n = expR (zr R n * ln x).
Proof.
move=> x0; have E p : x ^+ Pos.to_nat p = expR ((Pos.to_nat p)%:R * ln x).
  by rewrite expRMm lnK // posrE.
by case: n => [|p|p]; rewrite /powz ?E /zr ?mul0r ?expR0 // mulNr expRN.
Qed.
Lemma pw_ln x q : 0 < x -> pw x q = expR (qr R q * ln x).
Proof.
move=> x0; rewrite /pw /root x0; case: ifP => // /Pos.eqb_eq d1.
by rewrite powz_ln // /qr d1 /= divr1.
Qed.
Lemma pw_gt0 x q : 0 < x -> 0 < pw x q. Proof. by move=> x0; rewrite pw_ln // expR_gt0. Qed.
Lemma pw_neq0 x n : x != 0 -> pw x (Frac n 1) != 0.
Proof. by move=> x0; case: n => [|p|p]; rewrite /pw /= ?oner_neq0 ?invr_neq0 ?expf_neq0. Qed.
Lemma pw_ge0 x q : 0 <= x -> 0 <= pw x q.
Proof.
rewrite le_eqVlt => /orP[/eqP<-|/(pw_gt0 q)/ltW //].
case: q => n d; case: (Z.eq_dec n 0) => [->|n0]; last by rewrite pw_zero.
by rewrite /pw /root ltxx; case: ifP => //= _; exact: ler01.
Qed.
Lemma pw_even x n : 0 <= pw x (Frac (2 * n) 1).
Proof.
by case: n => [|p|p]; rewrite /pw /= ?ler01 // ?invr_ge0 -[xO p]/(2 * p)%positive Pos2Nat.inj_mul
   -[Nat.mul _ _]/(muln _ _) exprM exprn_ge0 // sqr_ge0.
Qed.

Lemma pw_even_gt0 x n : x != 0 -> 0 < pw x (Frac (2 * n) 1).
Proof. by move=> x0; rewrite lt_neqAle pw_even eq_sym pw_neq0. Qed.
Lemma pw_base x n d : pw x (Frac (Zpos n) d) != 0 -> x != 0.
Proof. by apply: contra_neq => ->; rewrite pw_zero. Qed.

(* b^p b^q = b^{p+q} *)
Lemma pw_add x p q r : 0 < x -> r = fadd p q -> pw x p * pw x q = pw x r.
Proof. by move=> x0 ->; rewrite !pw_ln // -expRD qr_add mulrDl. Qed.
Lemma powz_addn x p q : powz x (Zpos p) * powz x (Zpos q) = powz x (Zpos (p + q)).
Proof. by rewrite /powz Pos2Nat.inj_add -[Nat.add _ _]/(addn _ _) exprD. Qed.
Lemma pw_addn x p q : pw x (Frac (Zpos p) 1) * pw x (Frac (Zpos q) 1) = pw x (Frac (Zpos (p + q)) 1).
Proof. exact: powz_addn. Qed.
Lemma pw_subn x p q : pw x (Frac (Zneg p) 1) * pw x (Frac (Zneg q) 1) = pw x (Frac (Zneg (p + q)) 1).
Proof. by rewrite /pw /= Pos2Nat.inj_add -[Nat.add _ _]/(addn _ _) exprD invfM. Qed.
Lemma pw_succ x n : x != 0 -> pw x (Frac (n + 1) 1) = pw x (Frac n 1) * x.
Proof.
move=> x0; rewrite /pw /=; case: (Z.lt_trichotomy n (-1)) => [h|[->|h]].
- have [p ->] : exists p, n = Zneg (Pos.succ p) by exists (Z.to_pos (- n - 1)); lia.
  have -> : (Zneg (Pos.succ p) + 1)%Z = Zneg p by lia.
  by rewrite /powz Pos2Nat.inj_succ exprS invfM mulrC mulrA mulfV // mul1r.
- by rewrite /= expr1 mulVf.
- case: n h => [|p|p] h; rewrite ?mul1r; [by rewrite /= expr1| |lia].
  by rewrite -[(Zpos p + 1)%Z]/(Zpos (p + 1)) -[RHS]/(powz x (Zpos p) * x) -{3}[x]expr1 -powz_addn.
Qed.
Lemma pw_addz x m n r : x != 0 -> r = (m + n)%Z -> pw x (Frac m 1) * pw x (Frac n 1) = pw x (Frac r 1).
Proof.
move=> x0 ->; have S k : pw x (Frac (k - 1) 1) = pw x (Frac k 1) / x.
  by rewrite -[in RHS](Z.sub_add 1 k) pw_succ // mulfK.
case: n => [|p|p]; rewrite ?Z.add_0_r ?mulr1 //.
- elim/Pos.peano_ind: p => [|p IH]; first by rewrite pw_succ // pw_1.
  have -> : Zpos (Pos.succ p) = (Zpos p + 1)%Z by lia.
  by rewrite pw_succ // mulrA IH Z.add_assoc pw_succ.
- elim/Pos.peano_ind: p => [|p IH]; first by rewrite -[(m + -1)%Z]/(m - 1)%Z S pw_inv.
  have -> : Zneg (Pos.succ p) = (Zneg p - 1)%Z by lia.
  by rewrite S mulrA IH Z.add_sub_assoc S.
Qed.
Lemma pw_mulz x y n : pw (x * y) (Frac n 1) = pw x (Frac n 1) * pw y (Frac n 1).
Proof. by case: n => [|p|p]; rewrite /pw /= ?mul1r // exprMn ?invfM. Qed.
Lemma pw_mul x y q : 0 < x -> 0 < y -> pw (x * y) q = pw x q * pw y q.
Proof. by move=> x0 y0; rewrite !pw_ln ?mulr_gt0 // lnM // mulrDr expRD. Qed.
Lemma pw_pow x p q r : 0 < x -> r = fmul p q -> pw (pw x p) q = pw x r.
Proof. by move=> x0 ->; rewrite [pw (pw x p) q]pw_ln ?pw_gt0 // !pw_ln // expK qr_mul mulrA [qr _ q * _]mulrC. Qed.
Lemma pw_powz x m n r : r = (m * n)%Z -> pw (pw x (Frac m 1)) (Frac n 1) = pw x (Frac r 1).
Proof.
move=> ->; case: m n => [|p|p] [|q|q] //; rewrite /pw /= ?expr1n ?invr1 // ?exprVn ?invrK -?exprM;
  by rewrite Pos2Nat.inj_mul.
Qed.
Lemma pw_one q : pw 1 q = 1. Proof. by rewrite pw_ln ?ltr01 // ln1 mulr0 expR0. Qed.
Lemma pw_next x n : pw x (Frac (Zpos (Pos.succ n)) 1) = pw x (Frac (Zpos n) 1) * x.
Proof. by rewrite -{3}[x]pw_1 pw_addn Pos.add_1_r. Qed.

Lemma pw_qr c z d : d = (if Z.leb 0 z then fpow c (Z.to_nat z) else finv (fpow c (Z.to_nat (- z)))) ->
  pw (qr R c) (Frac z 1) = qr R d.
Proof.
move=> ->; case: z => [|p|p]; first by rewrite /= pw_0 qr1.
  by rewrite /pw /= qr_fpow.
by rewrite /pw /= qr_fpow qr_finv.
Qed.
Lemma pw_mono c d s r n : pw (qr R c) (Frac n 1) = qr R d -> [seq pw x (Frac n 1) | x <- s] = r ->
  pw (lin [:: (c, mulf s)]) (Frac n 1) = lin [:: (d, mulf r)].
Proof.
move=> H <-; rewrite /= !addr0 pw_mulz H (mulf_map (f := fun x => pw x (Frac n 1))) ?pw_one //.
by move=> x y; exact: pw_mulz.
Qed.
Lemma pw_mono_root s r q : [seq pw x q | x <- s] = r -> all (fun x => 0 < x) s ->
  pw (lin [:: (Frac 1 1, mulf s)]) q = lin [:: (Frac 1 1, mulf r)].
Proof.
move=> <- H; rewrite /= !addr0 qr1 !mul1r.
suff [] : 0 < mulf s /\ pw (mulf s) q = mulf [seq pw x q | x <- s] by [].
elim: s H => [|x s IH] /=; first by rewrite ltr01 pw_one.
by move=> /andP[x0 /IH [s0 E]]; rewrite -!/(mulf (_ :: _)) !mulf_cons mulr_gt0 // pw_mul // E.
Qed.
Lemma pw_times s c n b m : pw b (Frac n 1) = lin s -> m = (n + 1)%Z -> (0 <= n)%Z -> b = lin c ->
  pw b (Frac m 1) = lin s * lin c.
Proof.
move=> H -> n0 E; rewrite -H -E; case: n n0 {H} => [|p|p] //= _; first by rewrite pw_0 pw_1 mul1r.
by rewrite -{3}[b]pw_1 pw_addn.
Qed.
Lemma pw_id x q : x * x = x -> (x == 0) || (x == 1) -> (top q <> 0)%Z -> pw x q = x.
Proof. by case: q => n d _ /orP[]/eqP-> n0; rewrite ?pw_zero ?pw_one. Qed.
Lemma delta_01 i j : (delta R i j == 0) || (delta R i j == 1).
Proof. by rewrite /delta; case: Z.eqb; rewrite !eqxx ?orbT. Qed.
Lemma ge0_01 i : (ge0 R i == 0) || (ge0 R i == 1).
Proof. by rewrite /ge0; case: Z.leb; rewrite !eqxx ?orbT. Qed.
Lemma step_01 x : (step x == 0) || (step x == 1).
Proof. by rewrite /step; case: (0 < x); rewrite !eqxx ?orbT. Qed.

Lemma pw_factors n s : pw (mulf s) (Frac n 1) = mulf [seq pw x (Frac n 1) | x <- s].
Proof. by rewrite (mulf_map (f := fun x => pw x (Frac n 1))) ?pw_one // => x y; exact: pw_mulz. Qed.
Lemma all_cons (P : R -> bool) x s : P x -> all P s -> all P (x :: s). Proof. by move=> /= -> ->. Qed.
Lemma pw_factors_root q s : all (fun x => 0 < x) s -> pw (mulf s) q = mulf [seq pw x q | x <- s].
Proof.
move=> H; have := pw_mono_root (q := q) (erefl _) H.
by rewrite /= !addr0 qr1 !mul1r.
Qed.
(* exponentials of linear combinations *)
Lemma exp_scale c x : expR (qr R c * x) = pw (expR x) c.
Proof. by rewrite pw_ln ?expR_gt0 // expK. Qed.
Lemma exp_lin_nil : expR (lin (R := R) [::]) = mulf [::]. Proof. exact: expR0. Qed.
Lemma exp_lin_cons c x A s : expR (lin A) = mulf s -> expR (lin ((c, x) :: A)) = mulf (pw (expR x) c :: s).
Proof. by move=> H; rewrite mulf_cons -H expRD exp_scale. Qed.

Lemma exp_lin_one x A s : expR (lin A) = mulf s -> expR (lin ((Frac 1 1, x) :: A)) = mulf (expR x :: s).
Proof. by move=> H; rewrite mulf_cons -H expRD qr1 mul1r. Qed.

(* logarithms *)
Lemma ln_mul x y : 0 < x -> 0 < y -> ln (x * y) = ln x + ln y. Proof. exact: lnM. Qed.
Lemma ln_pw x q : 0 < x -> ln (pw x q) = qr R q * ln x. Proof. by move=> x0; rewrite pw_ln // expK. Qed.

Lemma ln_mulf s : all (fun x => 0 < x) s -> ln (mulf s) = addf [seq ln x | x <- s].
Proof.
move=> H; suff [] : 0 < mulf s /\ ln (mulf s) = addf [seq ln x | x <- s] by [].
elim: s H => [|x s IH]; first by rewrite /= ltr01 ln1.
move=> /= /andP[x0 /IH [s0 E]]; rewrite -/(mulf (x :: s)) mulf_cons mulr_gt0 //; split=> //.
by rewrite lnM // E addfE -/(addf (ln x :: [seq ln y | y <- s])) addfE big_cons.
Qed.
Lemma exp_ln x : 0 < x -> expR (ln x) = x. Proof. exact: lnK. Qed.
Lemma sin_squared x : pw (sin x) (Frac 2 1) = qr R (Frac 1 1) + qr R (Frac (-1) 1) * pw (cos x) (Frac 2 1).
Proof. by rewrite -[Frac 2 1]/(Frac (Z.of_nat 2) 1) !pw_nat qr1 qr_opp1 mulN1r sin2cos2. Qed.

(* steps *)
Lemma step_scaled c x : 0 < c -> step (c * x) = step x. Proof. by move=> H; rewrite /step pmulr_rgt0. Qed.
Lemma step_negated x : x != 0 -> step (qr R (Frac (-1) 1) * x) = qr R (Frac 1 1) + qr R (Frac (-1) 1) * step x.
Proof.
rewrite /step qr1 qr_opp1 !mulN1r oppr_gt0 neq_lt => /orP[h|h]; rewrite h ltNge ltW //= ?subr0 ?subrr //.
Qed.
Lemma step_beside x : x * step (qr R (Frac (-1) 1) * x) = x * (qr R (Frac 1 1) + qr R (Frac (-1) 1) * step x).
Proof. by case: (eqVneq x 0) => [->|h]; rewrite ?mul0r ?step_negated. Qed.
Lemma step_positive x : 0 < x -> step x = qr R (Frac 1 1). Proof. by rewrite /step qr1 => ->. Qed.
Lemma step_negative x : 0 <= x -> step (qr R (Frac (-1) 1) * x) = qr R (Frac 0 1).
Proof. by move=> h; rewrite /step qr0 qr_opp1 mulN1r oppr_gt0 ltNge h. Qed.
Lemma by_cases (f : R -> R) h (a b : R) : (h == 0) || (h == 1) ->
  f (h * a + (qr R (Frac 1 1) + qr R (Frac (-1) 1) * h) * b)
  = h * f a + (qr R (Frac 1 1) + qr R (Frac (-1) 1) * h) * f b.
Proof.
rewrite qr1 qr_opp1 => /orP[] /eqP ->; rewrite ?mulr0 ?mul0r ?addr0 ?mul1r ?add0r ?mulr1 ?subrr ?mul0r ?addr0 //.
Qed.

(* --- derivatives -------------------------------------------------------------------------- *)

(* f has the derivative d at t *)
Definition isD (t : R) (f : R -> R) (d : R) : Prop := is_derive t (1 : R) f d.

Lemma D_eq f t d e : isD t f d -> d = e -> isD t f e. Proof. by move=> H <-. Qed.
Lemma D_unique f t d e : isD t f d -> isD t f e -> d = e. Proof. by move=> [_ <-] [_ <-]. Qed.
Lemma D_same f g t d : (forall u, f u = g u) -> isD t g d -> isD t f d.
Proof. by move=> /funext->. Qed.
Lemma D_cst (c t : R) : isD t (fun=> c) (qr R (Frac 0 1)).
Proof. by rewrite qr0; exact: (is_derive_cst (c : R^o)). Qed.
Lemma D_comp f g t a b : isD (g t) f a -> isD t g b -> isD t (fun t => f (g t)) (a * b).
Proof. by move=> H K; exact: is_derive1_comp. Qed.
Lemma D_add f g t a b : isD t f a -> isD t g b -> isD t (fun t => f t + g t) (a + b).
Proof. by move=> H K; exact: is_deriveD. Qed.
Lemma D_mul f g t a b : isD t f a -> isD t g b -> isD t (fun t => f t * g t) (a * g t + f t * b).
Proof.
move=> H K; have M : is_derive t (1:R) (f * g) (f t *: b + g t *: a) by apply: is_deriveM.
by apply: (is_derive_eq (f := f * g) M); rewrite /GRing.scale /=; ring.
Qed.
Lemma D_sum n (F : Z -> R -> R) (d : Z -> R) t :
  (forall i, (0 <= i < n)%Z -> isD t (F i) (d i)) -> isD t (fun t => Sum n (fun i => F i t)) (Sum n d).
Proof.
move=> H; rewrite /Sum.
have -> : (fun t => \sum_(k < Z.to_nat n) F (Z.of_nat k) t) = \sum_(k < Z.to_nat n) F (Z.of_nat k).
  by apply/funext => u; rewrite fct_sumE.
by apply: is_derive_sum => k; exact/H/in_range.
Qed.
Lemma D_exp t : isD t expR (expR t). Proof. exact: is_derive_expR. Qed.
Lemma D_ln t : 0 < t -> isD t (@ln R) (pw t (Frac (-1) 1)).
Proof. by move=> H; rewrite pw_inv; exact: is_derive1_ln. Qed.
Lemma D_sin t : isD t sin (cos t). Proof. exact: is_derive_sin. Qed.
Lemma D_cos t : isD t cos (qr R (Frac (-1) 1) * sin t).
Proof. by rewrite qr_opp1 mulN1r; exact: is_derive_cos. Qed.

(* powers: q f^{q-1} f', for a power n >= 1, for an integer power of f != 0, for a root of f > 0 *)
Lemma D_nat f t a n p : isD t f a -> p = (Zpos n - 1)%Z ->
  isD t (fun t => pw (f t) (Frac (Zpos n) 1)) (qr R (Frac (Zpos n) 1) * pw (f t) (Frac p 1) * a).
Proof.
move=> H ->; have E g u : pw (g u) (Frac (Zpos n) 1) = g u ^+ Pos.to_nat n by [].
case N : (Pos.to_nat n) => [|k]; first by lia.
have -> : (Zpos n - 1)%Z = Z.of_nat k by lia.
have K : is_derive t (1:R) (f ^+ k.+1) ((k.+1%:R * f t ^+ k) *: a) by apply: is_deriveX.
have -> : (fun t => pw (f t) (Frac (Zpos n) 1)) = f ^+ k.+1.
  by apply/funext => u; rewrite E N exprfctE.
by apply: (is_derive_eq K); rewrite pw_nat qr_int /zr N.
Qed.
Lemma D_inv f t a : f t != 0 -> isD t f a -> isD t (fun t => (f t)^-1) (- ((f t)^-1 ^+ 2 * a)).
Proof. by move=> f0 H; apply: (D_eq (is_deriveV f0 H)); rewrite /GRing.scale /= exprVn mulNr. Qed.
Lemma D_neg f t a n p : f t != 0 -> isD t f a -> p = (Zneg n - 1)%Z ->
  isD t (fun t => pw (f t) (Frac (Zneg n) 1)) (qr R (Frac (Zneg n) 1) * pw (f t) (Frac p 1) * a).
Proof.
move=> f0 H ->; have K := D_nat (n := n) H (erefl _).
have K' := D_inv (expf_neq0 (Pos.to_nat n) f0 : (fun t => pw (f t) (Frac (Zpos n) 1)) t != 0) K.
have A : pw (f t) (Frac (Zneg n) 1) * pw (f t) (Frac (Zneg n) 1) * pw (f t) (Frac (Zpos n - 1) 1)
         = pw (f t) (Frac (Zneg n - 1) 1).
  by rewrite (pw_addz f0 (erefl _)) (pw_addz f0 (erefl _)); congr (pw _ (Frac _ _)); lia.
apply: (D_eq K'); rewrite -A -[(_)^-1]/(pw (f t) (Frac (Zneg n) 1)) !qr_int -[Zneg n]/(- Zpos n)%Z zr_opp.
by rewrite -[Zpos n]/(Zpos n); ring.
Qed.

(* what happens far from t does not matter *)
Lemma D_near f g t a : (\forall u \near t, f u = g u) -> isD t f a -> isD t g a.
Proof.
move=> fg; have ft : f t = g t by exact: nbhs_singleton fg.
move=> /is_derive1_caratheodory [s [Hs Cs st]]; apply/is_derive1_caratheodory.
pose r z := if z == t then a else (g z - g t) / (z - t); have rt : r t = a by rewrite /r eqxx.
exists r; split => //.
- move=> z; rewrite /r; case: eqP => [->|/eqP]; first by rewrite !subrr mulr0.
  by rewrite -subr_eq0 => /divfK->.
- suff H : r @ t --> a by rewrite /prop_for rt.
  have {}Cs : s @ t --> s t by [].
  rewrite -st; apply: cvg_trans Cs; apply: near_eq_cvg.
  apply: filterS fg => z fz; rewrite /r; case: eqP => [->|/eqP zt] //.
  by rewrite -fz -ft Hs mulfK // subr_eq0.
Qed.
Lemma D_continuous f t a : isD t f a -> f @ t --> f t.
Proof. by case=> /derivable1_diffP /differentiable_continuous. Qed.
Lemma D_positive f t a : isD t f a -> 0 < f t -> \forall u \near t, 0 < f u.
Proof.
move=> /D_continuous C f0; apply: (C [set y | 0 < y]); apply: open_nbhs_nbhs; split => //; exact: open_gt.
Qed.
Lemma D_negative f t a : isD t f a -> f t < 0 -> \forall u \near t, f u < 0.
Proof.
move=> /D_continuous C f0; apply: (C [set y | y < 0]); apply: open_nbhs_nbhs; split => //; exact: open_lt.
Qed.
Lemma D_pw f t a q p : 0 < f t -> isD t f a -> p = fadd q (Frac (-1) 1) ->
  isD t (fun t => pw (f t) q) (qr R q * pw (f t) p * a).
Proof.
move=> f0 H E; have K := D_mul (D_cst (qr R q) t) (D_comp (D_ln f0) H).
have L := D_comp (D_exp _) K.
apply: (D_near (f := fun u => expR (qr R q * ln (f u)))).
  by near=> u; rewrite pw_ln //; near: u; exact: D_positive H f0.
apply: (D_eq L) => /=; rewrite -(pw_ln q f0) qr0 mul0r add0r.
by rewrite -(pw_add f0 E); ring.
Unshelve. all: by end_near. Qed.
Lemma D_step f t a : f t != 0 -> isD t f a -> isD t (fun t => step (f t)) (qr R (Frac 0 1)).
Proof.
rewrite neq_lt => /orP[] f0 H; have C := D_cst _ t.
  apply: (D_near (f := fun=> 0)); last exact: D_cst.
  by near=> u; rewrite /step ltNge ltW //=; near: u; exact: D_negative H f0.
apply: (D_near (f := fun=> 1)); last exact: D_cst.
have N := D_positive H f0; near=> u; rewrite /step; have -> // : 0 < f u by near: u.
Unshelve. all: by end_near. Qed.

(* --- functions written with the exponential -------------------------------------------------- *)

Let one : R := qr R (Frac 1 1).
Let m1 : R := qr R (Frac (-1) 1).
Let two : R := qr R (Frac 2 1).
Let half : R := qr R (Frac 1 2).
Definition tanh (u : R) : R := (expR (two * u) + m1 * one) * pw (expR (two * u) + one) (Frac (-1) 1).
Definition sigmoid (u : R) : R := expR u * pw (one + expR u) (Frac (-1) 1).
Definition softplus (u : R) : R := ln (one + expR u).
Definition sinh (u : R) : R := half * (expR u + m1 * expR (m1 * u)).
Definition cosh (u : R) : R := half * (expR u + expR (m1 * u)).
Lemma two_E : two = 2%:R. Proof. exact: qr_int. Qed.
Lemma one_exp_gt0 u : 0 < 1 + expR u. Proof. by rewrite addr_gt0 ?expR_gt0. Qed.
Lemma sigmoidE u : sigmoid u = expR u / (1 + expR u). Proof. by rewrite /sigmoid /one qr1 pw_inv. Qed.
Lemma sigmoid_gt0 u : 0 < sigmoid u.
Proof. by rewrite sigmoidE divr_gt0 ?expR_gt0 ?one_exp_gt0. Qed.
Lemma softplus_gt0 u : 0 < softplus u.
Proof. by rewrite /softplus /one qr1 ln_gt0 // ltr_addl expR_gt0. Qed.
Lemma cosh_gt0 u : 0 < cosh u.
Proof. by rewrite /cosh /half mulr_gt0 ?qr_gt0 ?addr_gt0 ?expR_gt0. Qed.
Lemma D_scaled c t : isD t (fun u => qr R c * u) (qr R c).
Proof. by apply: (D_eq (D_mul (D_cst _ t) (is_derive_id _ _))); rewrite qr0 mul0r add0r mulr1. Qed.
Lemma D_quotient f g t a b : g t != 0 -> isD t f a -> isD t g b ->
  isD t (fun t => f t / g t) ((a * g t - f t * b) / (g t ^+ 2)).
Proof.
move=> g0 H K; apply: (D_eq (D_mul H (D_inv g0 K))); field; by rewrite g0.
Qed.
Lemma D_sigmoid t : isD t sigmoid (sigmoid t * (one + m1 * sigmoid t)).
Proof.
have -> : sigmoid = fun u => expR u / (1 + expR u) by apply/funext => u; exact: sigmoidE.
have N := lt0r_neq0 (one_exp_gt0 t).
have K := D_quotient (g := fun u => 1 + expR u) (t := t) N (D_exp t) (D_add (D_cst 1 t) (D_exp t)).
by apply: (D_eq K); rewrite /one /m1 qr0 qr1 qr_opp1; field; rewrite N.
Qed.
Lemma D_softplus t : isD t softplus (sigmoid t).
Proof.
have N : 0 < one + expR t by rewrite /one qr1 one_exp_gt0.
apply: (D_eq (D_comp (g := fun u => one + expR u) (t := t) (D_ln N) (D_add (D_cst one t) (D_exp t)))).
by rewrite qr0 add0r /sigmoid mulrC.
Qed.
Lemma D_tanh t : isD t tanh (one + m1 * pw (tanh t) (Frac 2 1)).
Proof.
have E u : tanh u = (expR (two * u) - 1) / (expR (two * u) + 1) by rewrite /tanh /one /m1 qr1 qr_opp1 mulr1 pw_inv.
have -> : tanh = fun u => (expR (two * u) - 1) / (expR (two * u) + 1) by apply/funext => u; exact: E.
have N : expR (two * t) + 1 != 0 by rewrite addrC lt0r_neq0 // one_exp_gt0.
have X := D_comp (D_exp _) (D_scaled (Frac 2 1) t).
have K := D_quotient (g := fun u => expR (two * u) + 1) (t := t) N (D_add X (D_cst (-1) t)) (D_add X (D_cst 1 t)).
apply: (D_eq K); rewrite /= qr0 /one /m1 qr1 qr_opp1 -/two two_E -[Frac 2 1]/(Frac (Z.of_nat 2) 1) pw_nat; field.
by rewrite -two_E.
Qed.
Lemma D_sinh t : isD t sinh (cosh t).
Proof.
apply: (D_eq (D_mul (D_cst half t) (D_add (D_exp t) (D_mul (D_cst m1 t) (D_comp (D_exp _) (D_scaled (Frac (-1) 1) t)))))).
by rewrite /cosh /m1 qr0 qr_opp1; ring.
Qed.
Lemma D_cosh t : isD t cosh (sinh t).
Proof.
apply: (D_eq (D_mul (D_cst half t) (D_add (D_exp t) (D_comp (D_exp _) (D_scaled (Frac (-1) 1) t))))).
by rewrite /sinh /m1 qr0 qr_opp1; ring.
Qed.
End Derivatives.

Arguments D_sum {R} n F d {t}.
Arguments tanh {R} u. Arguments sigmoid {R} u. Arguments softplus {R} u. Arguments sinh {R} u. Arguments cosh {R} u.
Arguments step {R} x.
Ltac all_positive :=
  cbv [all]; rewrite ?andbT; repeat (apply/andP; split);
  first [exact: expR_gt0 | (apply: pw_gt0; first [exact: expR_gt0 | (apply: qr_gt0; lia) | (apply: zr_gt0; lia)])
        | (apply: qr_gt0; simpl; lia) | (apply: zr_gt0; lia)].
Ltac same_at p := first [exact p | (etransitivity; [ | etransitivity; [exact p | ]]; reindexed)].
